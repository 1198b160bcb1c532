/* SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104): by the processor where it has the instructions (x86 SHA), else in plain C.
 *
 * A key is used for many messages, so the first block of each of the two hashes is done once (hmac_sha256_prepare). */
#ifndef SPEEDDATA_SHA256_H
#define SPEEDDATA_SHA256_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#define SHA256_BLOCK 64
#define SHA256_BYTES 32

typedef void (*sha256_function)(uint32_t state[8], const uint8_t *p, size_t blocks);

static const uint32_t sha256_start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* Fractional parts of the cube roots of the first 64 primes. */
static const uint32_t sha256_round[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t sha256_turned(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static inline uint32_t sha256_get(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void sha256_put(uint8_t *p, uint32_t word) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(word >> (24 - 8 * i));
}

static void sha256_in_c(uint32_t state[8], const uint8_t *p, size_t blocks) {
    for (; blocks; blocks--, p += SHA256_BLOCK) {
        uint32_t w[64], v[8];
        for (int i = 0; i < 16; i++) w[i] = sha256_get(p + 4 * i);
        for (int i = 16; i < 64; i++) {
            uint32_t near = w[i - 2], far = w[i - 15];
            w[i] = w[i - 16] + w[i - 7] + (sha256_turned(far, 7) ^ sha256_turned(far, 18) ^ far >> 3) +
                   (sha256_turned(near, 17) ^ sha256_turned(near, 19) ^ near >> 10);
        }
        memcpy(v, state, sizeof(v));
        for (int i = 0; i < 64; i++) {
            uint32_t a = v[0], e = v[4];
            uint32_t one = v[7] + sha256_round[i] + w[i] + ((e & v[5]) ^ (~e & v[6])) +
                           (sha256_turned(e, 6) ^ sha256_turned(e, 11) ^ sha256_turned(e, 25));
            uint32_t two = ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2])) +
                           (sha256_turned(a, 2) ^ sha256_turned(a, 13) ^ sha256_turned(a, 22));
            memmove(v + 1, v, 7 * sizeof(v[0]));
            v[4] += one;
            v[0] = one + two;
        }
        for (int i = 0; i < 8; i++) state[i] += v[i];
    }
}

#if defined(__x86_64__)
/* The instructions keep the eight words as two vectors, a b e f and c d g h, and do two rounds each. */
__attribute__((target("sha,sse4.1"))) static void sha256_by_processor(uint32_t state[8], const uint8_t *p, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);        /* b a d c, from the highest: c d a b */
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B); /* h g f e */
    __m128i abef = _mm_alignr_epi8(low, high, 8);
    __m128i cdgh = _mm_blend_epi16(high, low, 0xF0);
    for (; blocks; blocks--, p += SHA256_BLOCK) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[16];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4)
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), swap);
            else
                w[i] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i - 4], w[i - 3]), _mm_alignr_epi8(w[i - 1], w[i - 2], 4)),
                                            w[i - 1]);
            __m128i words = _mm_add_epi32(w[i], _mm_load_si128((const __m128i *)sha256_round + i));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1B);  /* a b e f */
    high = _mm_shuffle_epi32(cdgh, 0xB1); /* g h c d */
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}
static int sha256_has_processor(void) {
    unsigned eax, ebx, ecx, edx;
    if (!__builtin_cpu_supports("sse4.1") || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return 0;
    return ebx >> 29 & 1;
}
#else
#define sha256_by_processor sha256_in_c
static int sha256_has_processor(void) { return 0; }
#endif

static sha256_function sha256_blocks = sha256_in_c;

/* Choose; call once per module before the others. */
static void sha256_init(void) { sha256_blocks = sha256_has_processor() ? sha256_by_processor : sha256_in_c; }

/* The digest of `before` bytes, whole blocks that made `state`, and n bytes at p. */
static void sha256_finish(const uint32_t state[8], uint64_t before, const uint8_t *p, size_t n, uint8_t digest[SHA256_BYTES]) {
    uint8_t last[2 * SHA256_BLOCK] = {0};
    uint32_t words[8];
    size_t whole = n / SHA256_BLOCK, rest = n % SHA256_BLOCK;
    size_t blocks = rest + 9 > SHA256_BLOCK ? 2 : 1; /* a bit, and the length in bits */
    memcpy(words, state, sizeof(words));
    sha256_blocks(words, p, whole);
    if (rest) memcpy(last, p + whole * SHA256_BLOCK, rest);
    last[rest] = 0x80;
    sha256_put(last + blocks * SHA256_BLOCK - 8, (uint32_t)((before + n) >> 29));
    sha256_put(last + blocks * SHA256_BLOCK - 4, (uint32_t)((before + n) << 3));
    sha256_blocks(words, last, blocks);
    for (int i = 0; i < 8; i++) sha256_put(digest + 4 * i, words[i]);
}

/* What a key of at most a block does to the inner and outer hash; each message is taken to begin with the block `first`. */
static void hmac_sha256_prepare(const uint8_t *key, size_t n, const uint8_t first[SHA256_BLOCK], uint32_t inner[8], uint32_t outer[8]) {
    uint8_t padded[2][SHA256_BLOCK];
    for (size_t i = 0; i < SHA256_BLOCK; i++) {
        uint8_t byte = i < n ? key[i] : 0;
        padded[0][i] = byte ^ 0x36;
        padded[1][i] = byte ^ 0x5c;
    }
    memcpy(inner, sha256_start, sizeof(sha256_start));
    memcpy(outer, sha256_start, sizeof(sha256_start));
    sha256_blocks(inner, padded[0], 1);
    sha256_blocks(inner, first, 1);
    sha256_blocks(outer, padded[1], 1);
}

/* The HMAC of `first` and n bytes at p. */
static void hmac_sha256(const uint32_t inner[8], const uint32_t outer[8], const uint8_t *p, size_t n, uint8_t out[SHA256_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    sha256_finish(inner, 2 * SHA256_BLOCK, p, n, digest);
    sha256_finish(outer, SHA256_BLOCK, digest, sizeof(digest), out);
}
#endif
