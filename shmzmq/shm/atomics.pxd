# The only place where atomics are spelled: compiler builtins on 64-bit words, and the two CPU hints.
#
# load_relaxed / store_relaxed   no order; for a word that one side writes and nobody infers anything from
# load_acquire                   what the matching release published is visible afterwards
# store_release                  everything written before is visible to whoever acquires this word
# exchange, fetch_or, fetch_and  read-modify-write, sequentially consistent (a full fence on x86-64)
# fence                          full fence: a store before it is visible before any load after it is made.
#                                Each fence belongs to a named pair; both places carry the pair's name.
# pause                          tells the core that this is a spin loop
# monotonic_ns                   CLOCK_MONOTONIC, no system call (vDSO)

from libc.stdint cimport int64_t, uint64_t

cdef extern from * nogil:
    """
    #include <stdint.h>
    #include <time.h>
    static inline uint64_t shmzmq_load_relaxed(const uint64_t *p)
    { return __atomic_load_n(p, __ATOMIC_RELAXED); }
    static inline uint64_t shmzmq_load_acquire(const uint64_t *p)
    { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
    static inline void shmzmq_store_relaxed(uint64_t *p, uint64_t v)
    { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
    static inline void shmzmq_store_release(uint64_t *p, uint64_t v)
    { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
    static inline uint64_t shmzmq_exchange(uint64_t *p, uint64_t v)
    { return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); }
    static inline uint64_t shmzmq_fetch_or(uint64_t *p, uint64_t v)
    { return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); }
    static inline uint64_t shmzmq_fetch_and(uint64_t *p, uint64_t v)
    { return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); }
    static inline void shmzmq_fence(void)
    { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    static inline void shmzmq_pause(void)
    {
    #if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
    #elif defined(__aarch64__)
        __asm__ __volatile__("yield");
    #endif
    }
    static inline int shmzmq_lowest_bit(uint64_t word)
    { return __builtin_ctzll(word); }
    static inline int64_t shmzmq_monotonic_ns(void)
    {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
    }
    """
    uint64_t load_relaxed "shmzmq_load_relaxed"(const uint64_t *word)
    uint64_t load_acquire "shmzmq_load_acquire"(const uint64_t *word)
    void store_relaxed "shmzmq_store_relaxed"(uint64_t *word, uint64_t value)
    void store_release "shmzmq_store_release"(uint64_t *word, uint64_t value)
    uint64_t exchange "shmzmq_exchange"(uint64_t *word, uint64_t value)
    uint64_t fetch_or "shmzmq_fetch_or"(uint64_t *word, uint64_t value)
    uint64_t fetch_and "shmzmq_fetch_and"(uint64_t *word, uint64_t value)
    void fence "shmzmq_fence"()
    void pause "shmzmq_pause"()
    int lowest_bit "shmzmq_lowest_bit"(uint64_t word)
    int64_t monotonic_ns "shmzmq_monotonic_ns"()
