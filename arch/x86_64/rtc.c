/* The CMOS clock (Motorola MC146818), read once at boot. */
#include "clock.h"
#include "x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

enum {
    REG_SECONDS = 0x00,
    REG_MINUTES = 0x02,
    REG_HOURS = 0x04,
    REG_DAY = 0x07,
    REG_MONTH = 0x08,
    REG_YEAR = 0x09,
    REG_STATUS_A = 0x0a,
    REG_STATUS_B = 0x0b,
    REG_CENTURY = 0x32, /* where PCs keep it */
};
#define A_UPDATING  0x80
#define B_24_HOURS  0x02
#define B_BINARY    0x04
#define HOUR_PM     0x80
#define READS_MAX   16
#define UPDATE_SPIN 100000

struct rtc_time {
    unsigned second, minute, hour, day, month, year, century;
};

static unsigned cmos_read(unsigned reg)
{
    outb(CMOS_INDEX, reg);
    return inb(CMOS_DATA);
}

static struct rtc_time registers_read(void)
{
    for (unsigned i = 0; i < UPDATE_SPIN && (cmos_read(REG_STATUS_A) & A_UPDATING); i++)
        ;
    return (struct rtc_time){
        .second = cmos_read(REG_SECONDS),
        .minute = cmos_read(REG_MINUTES),
        .hour = cmos_read(REG_HOURS),
        .day = cmos_read(REG_DAY),
        .month = cmos_read(REG_MONTH),
        .year = cmos_read(REG_YEAR),
        .century = cmos_read(REG_CENTURY),
    };
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
    return a->second == b->second && a->minute == b->minute && a->hour == b->hour &&
           a->day == b->day && a->month == b->month && a->year == b->year;
}

static unsigned decode(unsigned value, bool binary)
{
    return binary ? value : (value >> 4) * 10 + (value & 15);
}

/* Numbers out of the registers' encodings; false when they are no time. */
static bool time_decode(struct rtc_time *t, unsigned status_b)
{
    bool binary = status_b & B_BINARY;
    bool pm = t->hour & HOUR_PM;
    t->second = decode(t->second, binary);
    t->minute = decode(t->minute, binary);
    t->hour = decode(t->hour & ~HOUR_PM, binary);
    t->day = decode(t->day, binary);
    t->month = decode(t->month, binary);
    t->century = decode(t->century, binary);
    t->year = decode(t->year, binary);
    if (!(status_b & B_24_HOURS))
        t->hour = t->hour % 12 + (pm ? 12 : 0);
    if (t->century < 19 || t->century > 29)
        t->century = 20;
    t->year += t->century * 100;
    return t->second < 60 && t->minute < 60 && t->hour < 24 && t->day >= 1 && t->day <= 31 &&
           t->month >= 1 && t->month <= 12 && t->year >= 1970;
}

/* Days since 1970-01-01 in the Gregorian calendar; years are counted from March so that the leap
 * day comes last. */
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month <= 2 ? year - 1 : year;
    unsigned m = month <= 2 ? month + 9 : month - 3;
    uint64_t days_before_march = (uint64_t)y * 365 + y / 4 - y / 100 + y / 400;
    return days_before_march + (m * 153 + 2) / 5 + day - 1 - 719468;
}

uint64_t rtc_read_s(void)
{
    struct rtc_time now = registers_read(), again = now;
    for (unsigned i = 0; i < READS_MAX; i++) {
        again = now;
        now = registers_read();
        if (same(&now, &again))
            break;
    }
    if (!time_decode(&now, cmos_read(REG_STATUS_B)))
        return 0;
    return days_since_1970(now.year, now.month, now.day) * 86400 + now.hour * 3600 +
           now.minute * 60 + now.second;
}
