/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step by tables. */
#ifndef SPEEDDATA_CRC32C_H
#define SPEEDDATA_CRC32C_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint32_t crc32c_table[8][256];

/* Fill the tables; call once per module before crc32c. */
static void crc32c_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        crc32c_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            crc32c_table[k][i] = crc32c_table[0][crc32c_table[k - 1][i] & 255] ^ crc32c_table[k - 1][i] >> 8;
}

/* CRC of n bytes at p, going on from crc (0 at the start). */
static uint32_t crc32c(uint32_t crc, const void *p, size_t n) {
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
#endif
