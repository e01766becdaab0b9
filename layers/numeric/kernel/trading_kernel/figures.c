/* Figures of a run that take one pass each: its curve, its round trips' profits, its drawdown.
 *
 * They are floats, as every figure of a backtest is; tests hold them against columns of numpy.
 */
#include "fills.h"

/* Cash, equity and exposure at every close of one symbol, from its fills in order. */
void trading_curve(int64_t bars, const double *close, double cash, const fills_t *f,
                   double *balance, double *equity, double *gross, double *net) {
    int64_t next = 0, held = 0;
    double units_held = 0.0;
    for (int64_t i = 0; i < bars; i++) {
        while (next < f->count && f->step[next] == i) {
            double traded = (double)f->quantity[next] / 1e8;
            cash -= traded * ((double)f->price[next] / 1e8);
            cash -= (double)f->fee[next] / 1e8;
            held += f->quantity[next];
            units_held = (double)held / 1e8;
            next++;
        }
        double worth = units_held * close[i];
        balance[i] = cash;
        net[i] = worth;
        gross[i] = worth < 0 ? -worth : worth;
        equity[i] = cash + worth;
    }
}

/* Profits after fees from flat to flat, or to where a holding turns around; how many there are. */
int64_t trading_profits(const fills_t *f, double *profits) {
    int64_t held = 0, found = 0;
    double bought = 0.0, sold = 0.0, fees = 0.0;
    for (int64_t i = 0; i < f->count; i++) {
        int64_t units_left = f->quantity[i];
        double price = (double)f->price[i] / 1e8, fee = (double)f->fee[i] / 1e8;
        double whole = (double)(units_left < 0 ? -units_left : units_left);
        while (units_left) {
            int closes = (held > 0 && units_left < 0) || (held < 0 && units_left > 0);
            int64_t part = units_left;
            if (closes && (held > 0 ? -units_left > held : units_left > -held)) part = -held;
            double size = (double)(part < 0 ? -part : part);
            if (closes) sold += size / 1e8 * price; else bought += size / 1e8 * price;
            fees += size == whole ? fee : fee * (size / whole);
            int side = held > 0 || (held == 0 && part > 0) ? 1 : -1;
            held += part;
            units_left -= part;
            if (!held) {
                profits[found++] = (side > 0 ? sold - bought : bought - sold) - fees;
                bought = sold = fees = 0.0;
            }
        }
    }
    return found;
}

/* The deepest fall from a peak, as lowest over peak, and the longest time below one. The curve
   begins at a peak of `start`, at the time `began`. */
void trading_drawdown(int64_t bars, const double *equity, const double *time, double start,
                      double began, double *deepest, double *longest) {
    double peak = start, lowest = start, reached = began, ratio = 1.0, most = 0.0;
    int below = 0;
    for (int64_t i = 0; i < bars; i++) {
        if (equity[i] >= peak) {
            if (lowest / peak < ratio) ratio = lowest / peak;
            if (below && time[i] - reached > most) most = time[i] - reached;
            peak = lowest = equity[i];
            reached = time[i];
            below = 0;
        } else {
            below = 1;
            if (equity[i] < lowest) lowest = equity[i];
        }
    }
    if (lowest / peak < ratio) ratio = lowest / peak;
    if (below && time[bars - 1] - reached > most) most = time[bars - 1] - reached;
    *deepest = ratio;
    *longest = most;
}
