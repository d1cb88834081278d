// SPDX-License-Identifier: Apache-2.0
// base/lanes_math.h - sin, cos, exp, log, atan2, pow over the number type R (base/lanes.h).
// The same operations in the same order for every lane count, no branch, no library: so the same
// bits on every machine and compiler. Errors below 2 units in the last place (pow: 1e-14
// relative at ordinary exponents) for arguments in the ranges stated.
// source   double: the reductions and polynomials of fdlibm (Sun Microsystems, 1993);
//          float: the polynomials of Cephes (S. Moshier, 1989)
#ifndef QI_LANES_MATH_H
#define QI_LANES_MATH_H

#include "base/lanes.h"

#define K(x) num((T)(x))

// Nearest integer of x as bits: x + magic has the integer in its low bits.
#define ROUND_MAGIC (LANES_F64 ? 6755399441055744.0 : 12582912.0)

// sin and cos; exact reduction to 1e6 (double) or 1e4 (float), not-a-number past 1e9 or 1e5.
LANE_FN void sincosr(R x, R *s, R *c) {
    R t = x * K(0.63661977236758134308) + K(ROUND_MAGIC);
    R n = t - K(ROUND_MAGIC);
    mask quarter = bits(t);
    R ps, pc;
    // r = x - n pi/2 in three parts, each with room for the bits of n
    R r;
    if (LANES_F64) {
        r = x - n * K(1.57079632673412561417e+00);
        r = r - n * K(6.07710050630396597660e-11);
        r = r - n * K(2.02226624879595063154e-21);
        R z = r * r;
        R p = K(1.58969099521155010221e-10) * z + K(-2.50507602534068634195e-08);
        p = p * z + K(2.75573137070700676789e-06);
        p = p * z + K(-1.98412698298579493134e-04);
        p = p * z + K(8.33333333332248946124e-03);
        p = p * z + K(-1.66666666666666324348e-01);
        ps = r + (r * z) * p;
        p = K(-1.13596475577881948265e-11) * z + K(2.08757232129817482790e-09);
        p = p * z + K(-2.75573143513906633035e-07);
        p = p * z + K(2.48015872894767294178e-05);
        p = p * z + K(-1.38888888888741095749e-03);
        p = p * z + K(4.16666666666666019037e-02);
        R half = K(0.5) * z, w = K(1) - half;
        pc = w + (((K(1) - w) - half) + (z * z) * p);
    } else {
        r = x - n * K(1.5703125);
        r = r - n * K(4.837512969970703125e-4);
        r = r - n * K(7.54978995489188216e-8);
        R z = r * r;
        R p = K(-1.9515295891e-4) * z + K(8.3321608736e-3);
        p = p * z + K(-1.6666654611e-1);
        ps = r + (r * z) * p;
        p = K(2.443315711809948e-5) * z + K(-1.388731625493765e-3);
        p = p * z + K(4.166664568298827e-2);
        pc = (K(1) - K(0.5) * z) + (z * z) * p;
    }
    // which quarter turn: odd swaps the two, bit 1 turns the sign
    int up = LANES_F64 ? 62 : 30;
    mask odd = -(quarter & whole(1));
    mask neg_s = (quarter << up) & SIGN_BIT, neg_c = ((quarter + whole(1)) << up) & SIGN_BIT;
    mask far = ~le(absr(x), K(LANES_F64 ? 1e9 : 1e5));
    *s = from_bits((bits(pick(odd, pc, ps)) ^ neg_s) | far);
    *c = from_bits((bits(pick(odd, ps, pc)) ^ neg_c) | far);
}

// e^x; 0 and infinity beyond the range of the type.
LANE_FN R expr(R x) {
    R top = K(LANES_F64 ? 1500.0 : 200.0);
    R xc = clampr(x, -top, top);
    R t = xc * K(1.44269504088896338700) + K(ROUND_MAGIC);
    R n = t - K(ROUND_MAGIC);
    R y;
    if (LANES_F64) {
        R hi = xc - n * K(6.93147180369123816490e-01), lo = n * K(1.90821492927058770002e-10);
        R r = hi - lo, z = r * r;
        R p = K(4.13813679705723846039e-08) * z + K(-1.65339022054652515390e-06);
        p = p * z + K(6.61375632143793436117e-05);
        p = p * z + K(-2.77777777770155933842e-03);
        p = p * z + K(1.66666666666666019037e-01);
        R c = r - z * p;
        y = K(1) - ((lo - (r * c) / (K(2) - c)) - hi);
    } else {
        R r = xc - n * K(0.693359375);
        r = r - n * K(-2.12194440e-4);
        R p = K(1.9875691500e-4) * r + K(1.3981999507e-3);
        p = p * r + K(8.3334519073e-3);
        p = p * r + K(4.1665795894e-2);
        p = p * r + K(1.6666665459e-1);
        p = p * r + K(5.0000001201e-1);
        y = ((p * r) * r + r) + K(1);
    }
    // times 2^n in three steps, so that each factor and the gradual underflow are exact
    int bias = LANES_F64 ? 1023 : 127, at = LANES_F64 ? 52 : 23;
    mask k = bits(t) - bits(K(ROUND_MAGIC)), k1 = sar(k, 2), k2 = k - k1 - k1 - k1;
    R f1 = from_bits((k1 + whole(bias)) << at), f2 = from_bits((k2 + whole(bias)) << at);
    y = (((y * f1) * f1) * f1) * f2;
    return pick(eq(x, x), y, x);
}

// Natural logarithm; -infinity at 0, not-a-number below.
LANE_FN R logr(R x) {
    int at = LANES_F64 ? 52 : 23;
    R tiny = K(LANES_F64 ? 2.2250738585072014e-308 : 1.17549435e-38f);
    mask sub = lt(x, tiny);
    R xs = pick(sub, x * K(LANES_F64 ? 18014398509481984.0 : 33554432.0), x);
    // x = 2^k (1 + f), sqrt(1/2) < 1 + f < sqrt(2)
    mask ix = bits(xs), half = bits(K(0.70710678118654752440));
    mask k = sar(ix - half, at);
    R f = from_bits(ix - (k << at)) - K(1);
    // k as a number, through the magic constant
    R n = from_bits(bits(K(ROUND_MAGIC)) + k) - K(ROUND_MAGIC);
    n = n - pick(sub, K(LANES_F64 ? 54 : 25), K(0));
    R y;
    if (LANES_F64) {
        R s = f / (K(2) + f), z = s * s, w = z * z;
        R t1 = K(1.531383769920937332e-01) * w + K(2.222219843214978396e-01);
        t1 = w * (t1 * w + K(3.999999999940941908e-01));
        R t2 = K(1.479819860511658591e-01) * w + K(1.818357216161805012e-01);
        t2 = t2 * w + K(2.857142874366239149e-01);
        t2 = z * (t2 * w + K(6.666666666666735130e-01));
        R hf = K(0.5) * f * f, p = t1 + t2;
        y = n * K(6.93147180369123816490e-01) -
            ((hf - (s * (hf + p) + n * K(1.90821492927058770002e-10))) - f);
    } else {
        R z = f * f;
        R p = K(7.0376836292e-2) * f + K(-1.1514610310e-1);
        p = p * f + K(1.1676998740e-1);
        p = p * f + K(-1.2420140846e-1);
        p = p * f + K(1.4249322787e-1);
        p = p * f + K(-1.6668057665e-1);
        p = p * f + K(2.0000714765e-1);
        p = p * f + K(-2.4999993993e-1);
        p = p * f + K(3.3333331174e-1);
        R t = (p * f) * z + n * K(-2.12194440e-4);
        y = (f + (t - K(0.5) * z)) + n * K(0.693359375);
    }
    R inf = from_bits(whole(LANES_F64 ? 0x7ff0000000000000 : 0x7f800000));
    y = pick(eq(x, K(0)), -inf, y);
    y = pick(eq(x, inf), inf, y);
    return from_bits(bits(y) | lt(x, K(0)) | ~eq(x, x));
}

// Angle of the point (x, y), both finite; 0 where both are 0.
LANE_FN R atan2r(R y, R x) {
    R ax = absr(x), ay = absr(y);
    mask steep = lt(ax, ay);
    R big = pick(steep, ay, ax), small = pick(steep, ax, ay);
    R t = small / pick(eq(big, K(0)), K(1), big); // 0..1
    R a;
    if (LANES_F64) {
        // atan t = atan c + atan((t - c) / (1 + c t)), c = 0, 1/2, 1
        mask m1 = le(K(0.4375), t), m2 = le(K(0.6875), t);
        R c = pick(m2, K(1), pick(m1, K(0.5), K(0)));
        R hi =
            pick(m2, K(7.85398163397448278999e-01), pick(m1, K(4.63647609000806093515e-01), K(0)));
        R lo =
            pick(m2, K(3.06161699786838301793e-17), pick(m1, K(2.26987774529616870924e-17), K(0)));
        R u = (t - c) / (K(1) + c * t), z = u * u, w = z * z;
        R p1 = K(1.62858201153657823623e-02) * w + K(4.97687799461593236017e-02);
        p1 = p1 * w + K(6.66107313738753120669e-02);
        p1 = p1 * w + K(9.09088713343650656196e-02);
        p1 = p1 * w + K(1.42857142725034663711e-01);
        p1 = z * (p1 * w + K(3.33333333333329318027e-01));
        R p2 = K(-3.65315727442169155270e-02) * w + K(-5.83357013379057348645e-02);
        p2 = p2 * w + K(-7.69187620504482999495e-02);
        p2 = p2 * w + K(-1.11111104054623557880e-01);
        p2 = w * (p2 * w + K(-1.99999999998764832476e-01));
        a = hi - ((u * (p1 + p2) - lo) - u);
        a = pick(steep, K(1.57079632679489655800e+00) - (a - K(6.12323399573676603587e-17)), a);
        a = pick(lt(x, K(0)), K(3.14159265358979311600e+00) - (a - K(1.22464679914735317723e-16)),
                 a);
    } else {
        mask m = lt(K(0.41421356237), t);
        R u = pick(m, (t - K(1)) / (t + K(1)), t), z = u * u;
        R p = K(8.05374449538e-2) * z + K(-1.38776856032e-1);
        p = p * z + K(1.99777106478e-1);
        p = p * z + K(-3.33329491539e-1);
        a = (p * z) * u + u + pick(m, K(0.78539816339744830962), K(0));
        a = pick(steep, K(1.57079632679489661923) - a, a);
        a = pick(lt(x, K(0)), K(3.14159265358979323846) - a, a);
    }
    return from_bits(bits(a) ^ (bits(y) & SIGN_BIT));
}

// x^p for x >= 0: e^(p ln x); 0^p is 0 (p > 0).
LANE_FN R powr(R x, R p) {
    R y = expr(p * logr(x));
    return pick(eq(p, K(1)), x, pick(eq(p, K(0)), K(1), y));
}

#endif
