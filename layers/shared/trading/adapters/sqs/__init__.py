"""SQS: the queue from recommendations to execution."""
