"""The outside world: DynamoDB, SQS, venues. Everything that needs a client lives here."""
