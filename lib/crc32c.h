/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78): by the processor where it can (SSE 4.2, Arm CRC), else by
 * tables, eight bytes a step. */
#ifndef SPEEDDATA_CRC32C_H
#define SPEEDDATA_CRC32C_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#endif

typedef uint32_t (*crc32c_function)(uint32_t crc, const void *p, size_t n);

static uint32_t crc32c_table[8][256];

static uint32_t crc32c_by_tables(uint32_t crc, const void *p, size_t n) {
    const uint8_t *s = p;
    crc = ~crc;
    for (; n >= 8; n -= 8, s += 8) {
        uint32_t low, high;
        memcpy(&low, s, 4);
        memcpy(&high, s + 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        low = __builtin_bswap32(low);
        high = __builtin_bswap32(high);
#endif
        low ^= crc;
        crc = crc32c_table[7][low & 255] ^ crc32c_table[6][low >> 8 & 255] ^ crc32c_table[5][low >> 16 & 255] ^
              crc32c_table[4][low >> 24] ^ crc32c_table[3][high & 255] ^ crc32c_table[2][high >> 8 & 255] ^
              crc32c_table[1][high >> 16 & 255] ^ crc32c_table[0][high >> 24];
    }
    while (n--) crc = crc32c_table[0][(crc ^ *s++) & 255] ^ crc >> 8;
    return ~crc;
}

/* The instruction takes three cycles and a new one can start in each: three lanes of LANE bytes at once, joined by tables
 * that tell what LANE zero bytes do to a CRC, a byte of it at a time. */
#define CRC32C_LANE 1024
static uint32_t crc32c_lane[4][256];

static inline uint32_t crc32c_skip_lane(uint32_t crc) {
    return crc32c_lane[0][crc & 255] ^ crc32c_lane[1][crc >> 8 & 255] ^ crc32c_lane[2][crc >> 16 & 255] ^
           crc32c_lane[3][crc >> 24];
}

#if defined(__x86_64__)
#define CRC32C_WORD(crc, word) ((uint32_t)__builtin_ia32_crc32di(crc, word))
#elif defined(__aarch64__)
#define CRC32C_WORD(crc, word) __builtin_aarch64_crc32cx(crc, word)
#endif
/* Takes whole groups of three lanes off the front of [s, s + n); `crc` is inverted, as within the instruction. */
#define CRC32C_LANES(crc, s, n)                                                                                              \
    for (; n >= 3 * CRC32C_LANE; n -= 3 * CRC32C_LANE, s += 3 * CRC32C_LANE) {                                                \
        uint32_t second = 0, third = 0;                                                                                      \
        for (const uint8_t *at = s; at < s + CRC32C_LANE; at += 8) {                                                          \
            uint64_t a, b, c;                                                                                                \
            memcpy(&a, at, 8);                                                                                               \
            memcpy(&b, at + CRC32C_LANE, 8);                                                                                 \
            memcpy(&c, at + 2 * CRC32C_LANE, 8);                                                                             \
            crc = CRC32C_WORD(crc, a);                                                                                       \
            second = CRC32C_WORD(second, b);                                                                                 \
            third = CRC32C_WORD(third, c);                                                                                   \
        }                                                                                                                    \
        crc = crc32c_skip_lane(crc32c_skip_lane(crc) ^ second) ^ third;                                                      \
    }

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_processor(uint32_t crc, const void *p, size_t n) {
    const uint8_t *s = p;
    crc = ~crc;
    CRC32C_LANES(crc, s, n)
    for (; n >= 8; n -= 8, s += 8) {
        uint64_t word;
        memcpy(&word, s, 8);
        crc = CRC32C_WORD(crc, word);
    }
    while (n--) crc = __builtin_ia32_crc32qi(crc, *s++);
    return ~crc;
}
static int crc32c_has_processor(void) { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
__attribute__((target("+crc"))) static uint32_t crc32c_by_processor(uint32_t crc, const void *p, size_t n) {
    const uint8_t *s = p;
    crc = ~crc;
    CRC32C_LANES(crc, s, n)
    for (; n >= 8; n -= 8, s += 8) {
        uint64_t word;
        memcpy(&word, s, 8);
        crc = CRC32C_WORD(crc, word);
    }
    while (n--) crc = __builtin_aarch64_crc32cb(crc, *s++);
    return ~crc;
}
static int crc32c_has_processor(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#else
#define crc32c_by_processor crc32c_by_tables
static int crc32c_has_processor(void) { return 0; }
#endif

static crc32c_function crc32c_best = crc32c_by_tables;

/* Fill the tables and choose; call once per module before crc32c. */
static void crc32c_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        crc32c_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc32c_table[k][i] = crc32c_table[0][crc32c_table[k - 1][i] & 255] ^ crc32c_table[k - 1][i] >> 8;
    for (int k = 0; k < 4; k++)
        for (uint32_t i = 1; i < 256; i++) {
            uint32_t low = i & (0 - i), crc = low << (8 * k); /* of several bits, the CRC is the sum of theirs */
            if (i == low)
                for (int n = 0; n < CRC32C_LANE; n++) crc = crc32c_table[0][crc & 255] ^ crc >> 8;
            else
                crc = crc32c_lane[k][low] ^ crc32c_lane[k][i ^ low];
            crc32c_lane[k][i] = crc;
        }
    if (crc32c_has_processor()) crc32c_best = crc32c_by_processor;
}

/* CRC of n bytes at p, going on from crc (0 at the start). */
static uint32_t crc32c(uint32_t crc, const void *p, size_t n) { return crc32c_best(crc, p, n); }
#endif
