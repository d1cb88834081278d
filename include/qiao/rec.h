// SPDX-License-Identifier: Apache-2.0
// qiao/rec.h - records of trials: MCAP files that Foxglove, Rerun and ROS 2 tools open, replay
// pages and pictures made from them.
#ifndef QIAO_REC_H
#define QIAO_REC_H

#include "qiao/brain.h"
#include "qiao/sim.h"
#include "qiao/task.h"

#pragma GCC visibility push(default) // libqiao.so exports what is public

typedef struct qiao_rec qiao_rec;

typedef struct qiao_rec_def {
    const char *path;        // of the .mcap
    const qiao_model *world; // geometry is stored once
    const qiao_io *io;
    double pose_rate_hz;                  // transforms and contacts; 50
    double signal_rate_hz;                // obs and cmd; 100
    const char *robot, *brain, *scenario; // names
    const char *engine;
    const char *case_text; // concrete .osc, stored as an attachment
    const char *world_xml; // scene MJCF, stored as an attachment
    uint64_t seed, trial;
    // what the result rests on beside world and robot; NULL: left out
    const uint8_t *scenario_hash, *brain_hash; // [QIAO_HASH_BYTES]
    const char *build;                         // version of the program
} qiao_rec_def;
qiao_rec_def qiao_rec_def_default(void);

// Opens a record. Writing goes through one buffer made here; _step allocates nothing.
qiao_rec *qiao_rec_new(const qiao_rec_def *def, qiao_diag *d);
// Called every tick after the referee; drops samples to the rates of the def.
void qiao_rec_step(qiao_rec *r, const qiao_truth *t, const qiao_obs *obs, const qiao_cmd *cmd,
                   int row);
void qiao_rec_event(qiao_rec *r, const qiao_event *ev);
// Writes score, trace hash and index, closes the file.
qiao_err qiao_rec_end(qiao_rec *r, const qiao_score *score, const uint8_t trace[QIAO_HASH_BYTES],
                      qiao_diag *d);
void qiao_rec_free(qiao_rec *r); // also an unfinished one: what was written stays readable

// Makes one self-contained replay page from a record.
qiao_err qiao_replay_html(const char *mcap, const char *html, qiao_diag *d);
// A strip of npic pictures across the record's time into one PNG.
qiao_err qiao_replay_png(const char *mcap, const char *png, int npic, qiao_diag *d);
// What is in a record, as one JSON text (names, times, score, channels). free() it.
char *qiao_replay_info(const char *mcap, qiao_diag *d);

#pragma GCC visibility pop
#endif
