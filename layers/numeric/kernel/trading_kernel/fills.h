/* Fills as columns, in hundred-millionths, and the books at their end. */
#ifndef TRADING_FILLS_H
#define TRADING_FILLS_H

#include <stdint.h>

typedef struct {
    int64_t *step, *quantity, *price, *fee;
    int8_t *reason, *at_end;    /* at_end: traded within the bar, and dated at its end */
    int64_t room, count;
    int64_t cash_hi, cash_lo, held;
} fills_t;

#endif
