/* SPDX-License-Identifier: Apache-2.0 */
/* The Lua of a prompt: lines in, text out. What is typed runs as a task on the loop, so that a wait
 * does not stop anything else; what it needs from outside of Lua (a cluster, roles, a verdict) it
 * asks for by name, as JSON, and waits. The words, the printing and the completion are Lua:
 * lib/kaos/repl*.lua. Loop's thread only, but for repl_interrupt(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "io/loop.h"

struct repl;

enum repl_end { REPL_OK, REPL_FAILED, REPL_QUIT };

struct repl_ops {
    /** Lua asks for something: answered once with repl_answer(), inside the call or later. Nobody
     * may be there any more to hear it, which is fine. args is borrowed. */
    void (*call)(void *arg, uint64_t id, const char *verb, const json_t *args);
    /** Names for the completion, as they are now: { instances, groups, params, ... }, lists of
     * strings; returned to the caller. */
    json_t *(*names)(void *arg);
    /** Text for the person, whole lines or not. */
    void (*write)(void *arg, const char *text, size_t len);
    /** What repl_line() began has ended. */
    void (*done)(void *arg, enum repl_end end);
};
struct repl_opts {
    struct loop *loop;
    const struct repl_ops *ops;
    void *arg;
    bool raw;  /**< not a terminal: values as they are, no boxes, an error ends everything */
    bool utf8; /**< the terminal can show more than ASCII */
    int columns;
};

/** @return NULL only when the library is broken. */
struct repl *repl_new(const struct repl_opts *o, struct err *e);
/** Clients are closed first (repl_close). */
void repl_free(struct repl *r);

enum repl_line { REPL_IDLE, REPL_MORE, REPL_RUNS, REPL_WRONG };
/** Takes a line without its newline. REPL_MORE: an incomplete chunk; REPL_RUNS: done() follows;
 * REPL_WRONG: an error was written, nothing runs. Not while something runs. */
enum repl_line repl_line(struct repl *r, const char *line);
/** Forgets the lines of an incomplete chunk. @return whether there were any. */
bool repl_reset(struct repl *r);
/** What stands in front of the input. Borrowed until the next call. */
const char *repl_prompt(struct repl *r);
/** Raises "cancelled" in what runs. */
void repl_cancel(struct repl *r);
bool repl_busy(const struct repl *r);
/** For a signal handler: Lua code that runs without waiting stops soon. */
void repl_interrupt(struct repl *r);
/** Whether an interrupt was not used up by running code; clears it. */
bool repl_interrupted(struct repl *r);

/** The answer to a call. result is taken; e: an error instead (result NULL then). */
void repl_answer(struct repl *r, uint64_t id, json_t *result, const struct err *e);

/** Where clients of the prompt work from now on. */
struct repl_place {
    const char *history, *run, *suffix, *bootstrap;
    uint64_t seed;
};
/** Clients that exist already are closed in the background. */
int repl_move(struct repl *r, const struct repl_place *p, struct err *e);
/** Closes all clients, within bound_ms, then done(arg). */
void repl_close(struct repl *r, uint64_t bound_ms, loop_fn done, void *arg);

struct repl_completion {
    size_t start; /**< byte of the line where the word begins */
    char **items; /**< what it may become */
    size_t n;
};
/** What the word before byte `point` may become; runs no code of the person's. */
void repl_complete(struct repl *r, const char *line, size_t point, struct repl_completion *out);
void repl_completion_free(struct repl_completion *c);
