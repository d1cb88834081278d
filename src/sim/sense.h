// SPDX-License-Identifier: Apache-2.0
// sense.h - sensors in time: when each samples, its noise, bias and delay. Inside room sim only.
#ifndef QI_SENSE_H
#define QI_SENSE_H

#include "sim/engine.h"

// One signal: the sensor and its clock in physics steps.
typedef struct qi_channel {
    qiao_sensor s;
    int adr;          // in an observation row
    const int *index; // [dim or nname] joints, drives or bodies of the world
    int every, delay; // physics steps between samples, from sample to arrival
    int slots, slot0; // samples under way at once; the first of them among a world's
    size_t ring;      // first double of its ring in a world's store
    int sig;
    uint32_t purpose; // of its random numbers
} qi_channel;

// The samples of one world.
typedef struct qi_samples {
    double *store;   // rings of all channels: [slots][dim] each
    int64_t *at;     // [nslot] physics step of each slot, -1: empty
    double *command; // [nobs] values of command signals
    double *bias;    // [nobs] of this trial
    qiao_rng rng;
} qi_samples;
enum { QI_SLOTS = 64 }; // most of a channel

// Draws the biases of a trial; s->rng is its key.
void qi_sample_begin(const qi_channel *c, qi_samples *s);
// Step of the sample that an observation at step k delivers.
int64_t qi_sample_for(const qi_channel *c, int64_t k);
// Whether a sample taken at step k will be delivered by an observation at a multiple of period.
bool qi_sample_due(const qi_channel *c, int64_t k, int period);
// Takes the sample of step k if it is not there yet.
void qi_sample_take(const qi_channel *c, qi_samples *s, const qi_engine *e, qi_world *w,
                    const qi_heightmap *map, int64_t k, double *scratch);
// Copies the delivered values into x [dim]; returns the step of the sample.
int64_t qi_sample_get(const qi_channel *c, const qi_samples *s, int64_t k, double *x);

#endif
