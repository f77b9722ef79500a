/* Threads of a library must not take the signals of its embedder. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* With all signals blocked. 0, or -1. */
int thread_start(pthread_t *, void *(*run)(void *), void *cls);

#endif
