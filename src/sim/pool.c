// SPDX-License-Identifier: Apache-2.0
// pool.c - threads that wait for work; nobody spins.
#include "sim/engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct worker {
    qi_pool *pool;
    int index;
    pthread_t thread;
} worker;

struct qi_pool {
    int nthread, started;
    worker *worker; // [nthread - 1]; the caller is the last thread
    pthread_mutex_t lock;
    pthread_cond_t go, done;
    long round;
    int left, n;
    bool stop;
    void (*work)(void *ctx, int thread, int from, int to);
    void *ctx;
};

static void part(const qi_pool *p, int index, int *from, int *to) {
    *from = (int)((long)p->n * index / p->nthread);
    *to = (int)((long)p->n * (index + 1) / p->nthread);
}

static void *wait_and_work(void *arg) {
    worker *w = arg;
    qi_pool *p = w->pool;
    long seen = 0;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        while (p->round == seen && !p->stop) pthread_cond_wait(&p->go, &p->lock);
        seen = p->round;
        bool stop = p->stop;
        pthread_mutex_unlock(&p->lock);
        if (stop) return NULL;
        int from, to;
        part(p, w->index, &from, &to);
        if (to > from) p->work(p->ctx, w->index, from, to);
        pthread_mutex_lock(&p->lock);
        if (--p->left == 0) pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->lock);
    }
}

qi_pool *qi_pool_new(int nthread) {
    if (nthread <= 0) nthread = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (nthread < 1) nthread = 1;
    qi_pool *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->nthread = nthread;
    p->worker = calloc((size_t)nthread, sizeof *p->worker);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->go, NULL), pthread_cond_init(&p->done, NULL);
    for (int i = 0; p->worker && i < nthread - 1; i++) {
        p->worker[i] = (worker){.pool = p, .index = i};
        if (pthread_create(&p->worker[i].thread, NULL, wait_and_work, &p->worker[i])) break;
        p->started++;
    }
    p->nthread = p->started + 1; // fewer threads, same bits
    return p;
}

void qi_pool_free(qi_pool *p) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->go);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->started; i++) pthread_join(p->worker[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->go), pthread_cond_destroy(&p->done);
    free(p->worker), free(p);
}

int qi_pool_threads(const qi_pool *p) { return p->nthread; }

void qi_pool_run(qi_pool *p, int n, void (*work)(void *ctx, int thread, int from, int to),
                 void *ctx) {
    if (p->started == 0 || n == 1) {
        work(ctx, 0, 0, n);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->n = n, p->work = work, p->ctx = ctx, p->left = p->started;
    p->round++;
    pthread_cond_broadcast(&p->go);
    pthread_mutex_unlock(&p->lock);
    int from, to;
    part(p, p->nthread - 1, &from, &to);
    if (to > from) work(ctx, p->nthread - 1, from, to);
    pthread_mutex_lock(&p->lock);
    while (p->left > 0) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
