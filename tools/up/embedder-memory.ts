/**
 * For glibc, in the environment of an embedder. Its buffers of 64 KB to 2 MB come and go by the thousand. By default glibc
 * soon takes them from heaps that never shrink, one for each of some threads, and 60 MB of holes stay resident. Like this
 * they are mapped, and given back when they are freed.
 */
export const embedderMemory = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536' }
