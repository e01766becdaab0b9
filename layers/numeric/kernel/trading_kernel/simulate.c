/* The fast gear of backtests: one symbol, market orders, exits around longs, exact amounts.
 *
 * It mirrors the platform's own decisions (trading/domain: targeting, trade_costs, fill_model,
 * order_life, filling, money), which define what is right; tests hold the two against each other
 * fill by fill. Prices, quantities and fees are whole numbers of 1e-8, money of 1e-16, worths of
 * 1e-30. Nothing here allocates, and no function of the C library is called.
 */
#include <stdint.h>

#include "fills.h"

typedef __int128 i128;
typedef unsigned __int128 u128;
typedef struct { u128 hi, lo; } u256;

enum { OK = 0, TOO_LARGE = 1, FULL = 2 };
enum { ENTRY = 0, EXIT = 1, FLIP = 2, STOP_LOSS = 3, TAKE_PROFIT = 4 };
enum { FRACTION = 0, FIXED_QUANTITY = 1, FIXED_NOTIONAL = 2 };

#define UNIT ((i128)100000000)
#define WHOLE ((i128)10000000000)   /* of a price, in the fractions of exits */
#define CASH_LIMIT ((i128)1000000000000000 * 1000000000000000)
#define WORTH_PER_CASH ((u128)100000000000000)

typedef struct {
    int64_t bars;
    int64_t tick, lot;
    int64_t taker_rate, maker_rate, highest_rate;
    int64_t spread, slippage;   /* 1e-4 basis points */
    int64_t factor;             /* target fraction, 1e-8 */
    int64_t amount;             /* units or notional to trade, 1e-8 */
    int64_t cash;               /* 1e-8 */
    int64_t enter_long, enter_short, leave_long, leave_short;   /* 1e-6 */
    int64_t next_bar, margin, both, sizing;
    int64_t stop, trail, target;    /* distances of exits from an entry, 1e-10, 0 for none */
    double valid_for, bar_length;
} terms_t;

typedef struct {
    const double *time, *open, *high, *low, *close;
    const int64_t *scores, *stops, *targets;    /* the last two 1e-6, or nothing at all */
    int64_t no_score;
} columns_t;

/* A bracket around a holding; 0 for an exit that there is not. */
typedef struct { int64_t stop, target, trail, peak; } exits_t;

typedef struct {
    const terms_t *t;
    fills_t *out;
    i128 cash;
    int64_t held;
    int failed;
    exits_t exits;
} books_t;

/* Python asks for this first, and leaves a library of another version alone. */
int64_t trading_version(void) { return 3; }

static int64_t units(double price) {
    /* To the nearest, ties to even, as adding 1.5 * 2^52 does below 2^51; above that a price has
       fewer than eight decimals anyway and the product is whole. */
    double scaled = price * 1e8;
    if (scaled >= 2251799813685248.0) return (int64_t)scaled + ((scaled - (int64_t)scaled) > 0.5);
    volatile double moved = scaled + 6755399441055744.0;
    return (int64_t)(moved - 6755399441055744.0);
}

static u256 wide(u128 a, u128 b) {
    uint64_t a1 = (uint64_t)(a >> 64), a0 = (uint64_t)a, b1 = (uint64_t)(b >> 64), b0 = (uint64_t)b;
    u128 low = (u128)a0 * b0, one = (u128)a1 * b0, two = (u128)a0 * b1, high = (u128)a1 * b1;
    u128 middle = (low >> 64) + (uint64_t)one + (uint64_t)two;
    u256 r;
    r.lo = (middle << 64) | (uint64_t)low;
    r.hi = high + (one >> 64) + (two >> 64) + (middle >> 64);
    return r;
}

static int over(u256 a, u256 b) { return a.hi > b.hi || (a.hi == b.hi && a.lo > b.lo); }

static long double rough(u256 a) {
    return (long double)a.hi * 340282366920938463463374607431768211456.0L + (long double)a.lo;
}

/* floor(a / b) for a quotient below 2^62: a guess, put right by exact comparison. */
static int64_t quotient(u256 a, u128 b, int *failed) {
    long double guess = rough(a) / (long double)b;
    if (guess > 4.0e18L) { *failed = TOO_LARGE; return 0; }
    int64_t q = (int64_t)guess;
    while (q > 0 && over(wide((u128)q, b), a)) q--;
    while (!over(wide((u128)(q + 1), b), a)) q++;
    return q;
}

static i128 ceil_div(i128 a, i128 b) { return (a + b - 1) / b; }

/* A taker's price: spread and slippage against it, on a whole tick. fill_model.taker_price */
static int64_t taker_price(const terms_t *t, int64_t price, int buys) {
    if (!t->spread && !t->slippage) return price;
    i128 sign = buys ? 1 : -1;
    i128 moved = (i128)price * (200000000 + sign * t->spread) * (100000000 + sign * t->slippage);
    i128 step = (i128)20000000000000000 * t->tick;
    if (buys) return (int64_t)(ceil_div(moved, step) * t->tick);
    int64_t found = (int64_t)(moved / step * t->tick);
    return found > t->tick ? found : t->tick;
}

/* The commission on a worth of 1e-16, rounded up to 1e-8. money.fee_amount */
static i128 fee_of(i128 worth, int64_t rate, int *failed) {
    if (worth > CASH_LIMIT) { *failed = TOO_LARGE; return 0; }
    return ceil_div(worth * rate, UNIT * UNIT);
}

static i128 with_commission(i128 worth, int64_t rate, int *failed) {
    return worth + fee_of(worth, rate, failed) * UNIT;
}

static u256 as_worth(i128 cash) { return wide((u128)cash, WORTH_PER_CASH); }

/* Whole lots that a worth pays for, commission included. filling.payable */
static int64_t payable(const terms_t *t, u256 worth, int64_t price, int64_t rate, int *failed) {
    u128 each = (u128)price * (u128)(UNIT + rate) * (u128)t->lot;
    /* worth is 1e-30, each lot costs 1e-24 */
    u256 scaled = worth;
    int64_t lots = quotient(scaled, each * 1000000, failed);
    if (each > ((u128)1 << 105)) { *failed = TOO_LARGE; return 0; }
    int64_t most = lots * t->lot;
    while (most > 0 && !*failed) {
        i128 cost = with_commission((i128)most * price, rate, failed);
        if (!over(as_worth(cost), worth)) break;
        most -= t->lot;
    }
    return most;
}

/* a / b and what is left, limb by limb; the quotient must fit into 128 bits. */
static u128 divided(u256 a, uint64_t b, uint64_t *rest, int *failed) {
    uint64_t limbs[4] = {(uint64_t)(a.hi >> 64), (uint64_t)a.hi, (uint64_t)(a.lo >> 64), (uint64_t)a.lo};
    u128 left = 0, found = 0;
    for (int i = 0; i < 4; i++) {
        left = left << 64 | limbs[i];
        uint64_t digit = (uint64_t)(left / b);
        left -= (u128)digit * b;
        if (i < 2 && digit) { *failed = TOO_LARGE; return 0; }
        found = found << 64 | digit;
    }
    *rest = (uint64_t)left;
    return found;
}

static i128 half_even(u256 a, uint64_t b, int *failed) {
    uint64_t rest = 0;
    u128 found = divided(a, b, &rest, failed);
    if (*failed || found >> 126) { *failed = TOO_LARGE; return 0; }
    u128 twice = (u128)rest * 2;
    if (twice > b || (twice == b && (found & 1))) found++;
    return (i128)found;
}

/* The notional (1e-16) that a budget (1e-30) pays for with its commission. money.affordable */
static i128 affordable(u256 budget, int64_t rate, int *failed) {
    uint64_t by = (uint64_t)(UNIT + rate) * 1000000;
    i128 worth = half_even(budget, by, failed);
    if (*failed) return 0;
    if (over(as_worth(with_commission(worth, rate, failed)), budget)) {
        u128 step = WORTH_PER_CASH * (u128)UNIT;
        if (budget.lo < step) budget.hi--;
        budget.lo -= step;
        worth = half_even(budget, by, failed);
    }
    return worth;
}

/* Whole lots of at most so many that a budget (1e-30) pays for. trade_costs.affordable_quantity */
static int64_t affordable_quantity(const terms_t *t, int64_t lots, u256 budget, int64_t mark,
                                   int buys, int *failed) {
    if (lots <= 0) return 0;
    int64_t price = taker_price(t, mark, buys);
    i128 cost = with_commission((i128)lots * price, t->highest_rate, failed);
    if (*failed) return 0;
    if (!over(as_worth(cost), budget)) return lots;
    i128 paid = affordable(budget, t->highest_rate, failed);
    if (*failed) return 0;
    int64_t most = (int64_t)(paid / ((i128)price * t->lot)) * t->lot;
    return most < lots ? (most > 0 ? most : 0) : lots;
}

static void trade(books_t *b, int64_t step, int64_t quantity, int64_t price, int64_t rate,
                  int reason, int at_end) {
    fills_t *o = b->out;
    if (o->count >= o->room) { b->failed = FULL; return; }
    int64_t size = quantity < 0 ? -quantity : quantity;
    i128 worth = (i128)size * price;
    i128 fee = fee_of(worth, rate, &b->failed);
    if (b->failed) return;
    o->step[o->count] = step;
    o->quantity[o->count] = quantity;
    o->price[o->count] = price;
    o->fee[o->count] = (int64_t)fee;
    o->reason[o->count] = (int8_t)reason;
    o->at_end[o->count] = (int8_t)at_end;
    o->count++;
    b->cash += (quantity < 0 ? worth : -worth) - fee * UNIT;
    b->held += quantity;
}

typedef struct {
    int64_t quantity;
    u256 worth;
    int by_worth, waits, buys;
    int64_t step;
    exits_t exits;
} order_t;

/* What an entry is to be worth (1e-30), at most the budget for buys. targeting._worth */
static u256 worth_of(const books_t *b, int64_t mark, int64_t score, int buys, i128 budget) {
    const terms_t *t = b->t;
    i128 equity = b->cash + (i128)b->held * mark;
    int64_t size = score < 0 ? -score : score;
    u256 worth, limit;
    if (equity < 0) equity = 0;
    if (t->sizing == FIXED_NOTIONAL) worth = as_worth((i128)t->amount * UNIT);
    else worth = wide((u128)equity, (u128)t->factor * (u128)size);
    limit = as_worth(budget > 0 ? budget : 0);
    return buys && over(worth, limit) ? limit : worth;
}

/* Whole lots of an entry. targeting._quantity */
static int64_t sized(books_t *b, int64_t mark, int64_t score, int buys, i128 budget, u256 *worth) {
    const terms_t *t = b->t;
    u256 most = as_worth(budget > 0 ? budget : 0);
    if (t->sizing == FIXED_QUANTITY) {
        int64_t lots = t->amount / t->lot * t->lot;
        if (!buys || t->margin) return lots;
        return affordable_quantity(t, lots, most, mark, 1, &b->failed);
    }
    *worth = worth_of(b, mark, score, buys, budget);
    /* worth is 1e-30, price times lot 1e-16 */
    u128 each = (u128)mark * (u128)t->lot;
    if (each > ((u128)1 << 78)) { b->failed = TOO_LARGE; return 0; }
    int64_t lots = quotient(*worth, each * WORTH_PER_CASH, &b->failed) * t->lot;
    if (t->next_bar)
        return affordable_quantity(t, lots, *worth, mark, buys, &b->failed);
    return buys ? affordable_quantity(t, lots, most, mark, 1, &b->failed) : lots;
}

/* What an order that meets the market trades. order_life.cash_sized, filling._tradable */
static void meet(books_t *b, const order_t *o, int64_t step, int64_t at) {
    const terms_t *t = b->t;
    int64_t price = taker_price(t, at, o->buys), quantity = o->quantity, before = b->held;
    i128 cash = b->cash > 0 ? b->cash : 0;
    if (o->by_worth) {
        u256 worth = o->worth, all = as_worth(cash);
        if (o->buys && !t->margin && over(worth, all)) worth = all;
        quantity = payable(t, worth, price, t->taker_rate, &b->failed);
    }
    if (!t->margin && !b->failed) {
        if (o->buys) {
            i128 cost = with_commission((i128)quantity * price, t->taker_rate, &b->failed);
            if (cost > cash) quantity = payable(t, as_worth(cash), price, t->taker_rate, &b->failed);
        } else if (quantity > before) quantity = before > 0 ? before : 0;
    }
    if (b->failed || quantity <= 0) return;
    int64_t after = before + (o->buys ? quantity : -quantity);
    int grows = (after < 0 ? -after : after) > (before < 0 ? -before : before);
    int turned = (before > 0 && after < 0) || (before < 0 && after > 0);
    trade(b, step, o->buys ? quantity : -quantity, price, t->taker_rate,
          turned ? FLIP : grows ? ENTRY : EXIT, !t->next_bar);
    if (grows) b->exits = o->exits;
}

/* The order that a score asks for; 0 for none. targeting.target_order */
static int decide(books_t *b, int64_t mark, int64_t score, order_t *o) {
    const terms_t *t = b->t;
    int way = score >= t->enter_long ? 1 : score <= t->enter_short ? -1 : 0;
    i128 budget = b->cash;
    o->by_worth = 0;
    if (b->held == 0) {
        if (!way) return 0;
        o->buys = way > 0;
        /* Cash that does not pay for one lot at the mark buys none, whatever the sizing. */
        if (o->buys && !t->margin && b->cash < (i128)mark * t->lot) return 0;
        o->quantity = sized(b, mark, score, o->buys, budget, &o->worth);
        o->by_worth = t->next_bar && t->sizing != FIXED_QUANTITY;
        return o->quantity > 0;
    }
    /* What closes a holding takes over the units of its exits as soon as it is let in. */
    int buys = b->held < 0;
    if (b->held > 0 ? score > t->leave_long : score < t->leave_short) return 0;
    int64_t held = b->held < 0 ? -b->held : b->held;
    int64_t lots = held / t->lot * t->lot;
    if (lots <= 0) return 0;
    o->buys = buys;
    o->quantity = lots;
    if (way == (buys ? 1 : -1) && lots == held) {
        if (buys) {
            int64_t price = taker_price(t, mark, 1);
            budget -= with_commission((i128)held * price, t->highest_rate, &b->failed);
        }
        int64_t new_lots = sized(b, mark, score, buys, budget, &o->worth);
        if (new_lots > 0) o->quantity += new_lots;
    }
    return 1;
}

/* Where a long entry decided on at a mark is to be left. targeting._exits */
static exits_t exits_of(const terms_t *t, const columns_t *c, int64_t bar, int64_t mark) {
    exits_t found = {0, 0, 0, 0};
    int64_t stop = t->stop, target = t->target;
    if (c->stops && c->stops[bar] != c->no_score) stop = c->stops[bar] * 10000;
    if (c->targets && c->targets[bar] != c->no_score) target = c->targets[bar] * 10000;
    i128 step = WHOLE * t->tick;
    if (stop && stop < WHOLE) found.stop = (int64_t)((i128)mark * (WHOLE - stop) / step * t->tick);
    else if (!stop) found.trail = t->trail;
    if (target) found.target = (int64_t)(ceil_div((i128)mark * (WHOLE + target), step) * t->tick);
    return found;
}

/* Whether a price is at or below where a trailing stop goes off. order.stop_trigger */
static int trails(const exits_t *e, int64_t peak, int64_t price) {
    return (i128)price * WHOLE <= (i128)peak * (WHOLE - e->trail);
}

static int64_t trail_price(const terms_t *t, const exits_t *e, int64_t peak) {
    int64_t found = (int64_t)((i128)peak * (WHOLE - e->trail) / (WHOLE * t->tick) * t->tick);
    return found > t->tick ? found : t->tick;
}

static void stopped(books_t *b, int64_t step, int64_t price, int at_end) {
    const terms_t *t = b->t;
    int64_t on_tick = price / t->tick * t->tick;
    if (on_tick < t->tick) on_tick = t->tick;
    trade(b, step, -b->held, taker_price(t, on_tick, 0), t->taker_rate, STOP_LOSS, at_end);
}

static int reaches(const terms_t *t, int64_t price, int64_t limit) {
    return (i128)price * (200000000 - t->spread) >= (i128)limit * 200000000;
}

/* Show a bar to the exits of a long: its open, stops, limits, its close. matching */
static void leave(books_t *b, const columns_t *c, int64_t i) {
    const terms_t *t = b->t;
    exits_t *e = &b->exits;
    int64_t open = units(c->open[i]), low = units(c->low[i]), high = units(c->high[i]);
    if (e->stop && open <= e->stop) { stopped(b, i, open, 0); return; }
    if (e->peak && trails(e, e->peak, open)) { stopped(b, i, open, 0); return; }
    if (e->target && reaches(t, open, e->target)) {
        trade(b, i, -b->held, e->target, t->maker_rate, TAKE_PROFIT, 0);
        return;
    }
    if (e->stop && low <= e->stop) { stopped(b, i, e->stop, 1); return; }
    int64_t peak = open > e->peak ? open : e->peak;
    if (e->trail && trails(e, peak, low)) { stopped(b, i, trail_price(t, e, peak), 1); return; }
    if (e->target && reaches(t, high, e->target)) {
        trade(b, i, -b->held, e->target, t->maker_rate, TAKE_PROFIT, 1);
        return;
    }
    if (!e->trail) return;
    if (high > peak) peak = high;
    if (trails(e, peak, units(c->close[i]))) stopped(b, i, trail_price(t, e, peak), 1);
    e->peak = peak;
}

static const exits_t NO_EXITS = {0, 0, 0, 0};

static int has_exits(const books_t *b) {
    return b->held && (b->exits.stop || b->exits.target || b->exits.trail);
}

int trading_simulate(const terms_t *t, const columns_t *c, fills_t *out) {
    books_t b = {t, out, (i128)t->cash * UNIT, 0, OK, NO_EXITS};
    int brackets = t->stop || t->trail || t->target || c->stops || c->targets;
    order_t o;
    o.waits = 0;
    o.exits = NO_EXITS;
    for (int64_t i = 0; i < t->bars; i++) {
        /* An order that waits and exits that rest exclude each other until it has traded. */
        if (o.waits) {
            double expires = c->time[o.step] + t->bar_length + t->valid_for;
            if (c->time[i] <= expires) meet(&b, &o, i, units(c->open[i]));
            o.waits = 0;
            if (b.failed) return b.failed;
        }
        if (brackets && has_exits(&b)) {
            leave(&b, c, i);
            if (b.failed) return b.failed;
        }
        int64_t score = c->scores[i];
        if (score == c->no_score) continue;
        if (b.held == 0 ? score < t->enter_long && score > t->enter_short
                        : b.held > 0 ? score > t->leave_long : score < t->leave_short) continue;
        int64_t mark = units(c->close[i]);
        if (!decide(&b, mark, score, &o)) { if (b.failed) return b.failed; continue; }
        if (b.failed) return b.failed;
        o.exits = b.held == 0 && brackets ? exits_of(t, c, i, mark) : NO_EXITS;
        b.exits = NO_EXITS;
        if (t->next_bar) { o.waits = 1; o.step = i; }
        else meet(&b, &o, i, mark);
        if (b.failed) return b.failed;
    }
    out->cash_hi = (int64_t)(b.cash >> 64);
    out->cash_lo = (int64_t)(uint64_t)b.cash;
    out->held = b.held;
    return OK;
}
