"""The exact core: money, instruments, orders, ledger and risk. No I/O, no floats."""
