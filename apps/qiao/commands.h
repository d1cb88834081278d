// SPDX-License-Identifier: Apache-2.0
// commands.h - one file for each command.
#ifndef QIAO_COMMANDS_H
#define QIAO_COMMANDS_H

#include "args.h"

#define QIAO_VERSION "0.1.0"

extern const command command_brains, command_train, command_identify, command_doctor;
extern const command command_run, command_replay, command_robots, command_scenarios, command_bench;
extern const command command_prove;
extern const command command_verify, command_keys;
extern const command command_compile;

#endif
