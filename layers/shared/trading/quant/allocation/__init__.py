"""Portfolio weights from past returns: one method a file, each with a function ``weights``.

``weights(returns, total, low, high)`` takes simple returns (bars by symbols), what the weights are
to add up to, and each symbol's lowest and highest weight, and returns one weight a symbol. All are
long only; ``weigh.py`` picks a method by its name.
"""
