/* A library of C as applications use them: it knows nothing of green threads. Compiled by the tests. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A bounded queue of numbers. */
struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    long first, count, size, items[16];
};

struct queue *queue_new(long size) {
    struct queue *q = calloc(1, sizeof *q);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->mutex, 0);
    pthread_cond_init(&q->not_empty, &monotonic);
    pthread_cond_init(&q->not_full, 0);
    q->size = size;
    return q;
}

void queue_put(struct queue *q, long item) {
    pthread_mutex_lock(&q->mutex);
    while (q->count == q->size) pthread_cond_wait(&q->not_full, &q->mutex);
    q->items[(q->first + q->count++) % 16] = item;
    pthread_mutex_unlock(&q->mutex);
    pthread_cond_signal(&q->not_empty);
}

/* -1: nothing came in so many milliseconds. */
long queue_get(struct queue *q, long ms) {
    struct timespec end;
    long item = -1;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += ms % 1000 * 1000000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    pthread_mutex_lock(&q->mutex);
    while (q->count == 0 && error == 0) error = pthread_cond_timedwait(&q->not_empty, &q->mutex, &end);
    if (q->count > 0) {
        item = q->items[q->first];
        q->first = (q->first + 1) % 16;
        q->count--;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->mutex);
    return item;
}

/* A gate that opens for all. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    int open, waiting;
};

struct gate *gate_new(void) {
    struct gate *g = calloc(1, sizeof *g);
    pthread_mutexattr_t checks;
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&g->mutex, &checks);
    pthread_cond_init(&g->cond, 0);
    return g;
}

int gate_waiting(struct gate *g) { return g->waiting; }

/* 0, or the error of what went wrong. */
int gate_pass(struct gate *g) {
    int error = pthread_mutex_lock(&g->mutex);
    g->waiting++;
    while (!g->open && !error) error = pthread_cond_wait(&g->cond, &g->mutex);
    g->waiting--;
    return error ? error : pthread_mutex_unlock(&g->mutex);
}

/* The same for at most so many microseconds; opens nothing and changes nothing. */
int gate_look(struct gate *g, long us) {
    struct timespec end;
    int error = pthread_mutex_lock(&g->mutex);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += us * 1000;
    if (end.tv_nsec >= 1000000000) end.tv_sec++, end.tv_nsec -= 1000000000;
    if (!g->open && !error) error = pthread_cond_clockwait(&g->cond, &g->mutex, CLOCK_MONOTONIC, &end);
    if (error == ETIMEDOUT) error = 0;
    return error ? error : pthread_mutex_unlock(&g->mutex);
}

void gate_open(struct gate *g) {
    pthread_mutex_lock(&g->mutex);
    g->open = 1;
    pthread_cond_broadcast(&g->cond);
    pthread_mutex_unlock(&g->mutex);
}

/* Waits without having the mutex, and with times that are none. */
int wrong_wait(int which) {
    struct gate *g = gate_new();
    struct timespec none = {0, 2000000000}, past = {-5, 0};
    if (which == 0) return pthread_cond_wait(&g->cond, &g->mutex);
    pthread_mutex_lock(&g->mutex);
    if (which == 1) return pthread_cond_timedwait(&g->cond, &g->mutex, &none) * 1000 + pthread_mutex_unlock(&g->mutex);
    if (which == 2) return pthread_cond_timedwait(&g->cond, &g->mutex, &past) * 1000 + pthread_mutex_unlock(&g->mutex);
    return pthread_cond_clockwait(&g->cond, &g->mutex, CLOCK_PROCESS_CPUTIME_ID, &past) * 1000 + pthread_mutex_unlock(&g->mutex);
}

/* Error handling as in Lua or libpng: the callback is left by a jump over it. */
static __thread jmp_buf *handler;

void jump_out(int value) { longjmp(*handler, value); }

int call_guarded(void (*callback)(int), int argument) {
    jmp_buf here, *outer = handler;
    handler = &here;
    int jumped = setjmp(here);
    if (!jumped) callback(argument);
    handler = outer;
    return jumped;
}

static void wait_and_jump(int us) {
    jmp_buf *mine = handler;
    usleep(us);
    handler = mine; /* Other threads of this library ran meanwhile. */
    jump_out(us);
}

/* Jumps over its own frames after it has waited in them. */
int jump_after_wait(int us) { return call_guarded(wait_and_jump, us); }

static void *joined(void *us) {
    usleep((long)us);
    return us;
}

/* Starts a thread and waits for its end; what it returned, or a negative error. */
long start_and_join(long us) {
    pthread_t thread;
    void *result = 0;
    int error = pthread_create(&thread, 0, joined, (void *)us);
    if (!error) error = pthread_join(thread, &result);
    return error ? -error : (long)result;
}

int join_self(void) { return pthread_join(pthread_self(), 0); }
