/* The physics of one environment in plain C: what `NE.Benchmarks environments` compares our environments with.
 *
 *     environment_loop LIBMUJOCO MODEL.xml TAPE
 *
 * The tape (EnvironmentTape.fs) holds actions, episode lengths and reset states that the .NET side recorded, so that both sides make
 * the same physics steps. Only the physics: no observation, no reward, no random draws, no checks.
 *
 * Answers one line with one line: "END" gives the bits of qpos and qvel after one pass over the tape, to prove that the work is the
 * same; a number plays that many control steps from the tape's beginning and gives "wall-seconds cpu-seconds".
 *
 * A user's machine has no MuJoCo headers, so the few functions are declared here and found with dlopen. */

#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Offsets of pointers in mjData of 2.2.2 (NE.Actors/MuJoCo/layouts.json). */
enum { VERSION = 222, QPOS = 40376, QVEL = 40384, CTRL = 40408 };

typedef void physics(const void *model, void *data);

static physics *reset_data, *forward, *step, *step1, *step2, *rne_post_constraint, *forward_acceleration, *forward_constraint, *sensor_acceleration;
static void *model, *data;
static double *qpos, *qvel, *ctrl;

/* The tape's header; all int32. */
static struct {
    int32_t nq, nv, nu, frame_skip, control_suite, runge_kutta, episodes, preparations, steps;
} tape;

static int32_t *lengths;           /* [episodes] control steps */
static int32_t *preparation_count; /* [episodes] */
static int32_t *settle;            /* [preparations] physics steps without control; 0 is an evaluation */
static double *states;             /* [preparations x (nq + nv)] the state before it */
static float *actions;             /* [steps x nu] */

static void fail(const char *what, const char *detail) {
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail("libmujoco lacks a function", name);
    return found;
}

static void load(const char *library_path, const char *model_path) {
    void *library = dlopen(library_path, RTLD_NOW);
    if (!library) fail("libmujoco cannot be loaded", dlerror());
    int (*version)(void) = symbol(library, "mj_version");
    if (version() != VERSION) fail("not libmujoco 2.2.2, whose offsets are known here", library_path);
    void *(*load_xml)(const char *, const void *, char *, int) = symbol(library, "mj_loadXML");
    void *(*make_data)(const void *) = symbol(library, "mj_makeData");
    reset_data = symbol(library, "mj_resetData");
    forward = symbol(library, "mj_forward");
    step = symbol(library, "mj_step");
    step1 = symbol(library, "mj_step1");
    step2 = symbol(library, "mj_step2");
    rne_post_constraint = symbol(library, "mj_rnePostConstraint");
    forward_acceleration = symbol(library, "mj_fwdAcceleration");
    forward_constraint = symbol(library, "mj_fwdConstraint");
    sensor_acceleration = symbol(library, "mj_sensorAcc");
    char error[1000] = "";
    model = load_xml(model_path, NULL, error, sizeof error);
    if (!model) fail("the model does not compile", error);
    data = make_data(model);
    if (!data) fail("no memory for mjData", model_path);
    qpos = *(double **)((char *)data + QPOS);
    qvel = *(double **)((char *)data + QVEL);
    ctrl = *(double **)((char *)data + CTRL);
}

static void *array(FILE *file, size_t size, size_t count) {
    void *values = malloc(size * count + 1);
    if (!values || fread(values, size, count, file) != count) fail("the tape is shorter than it says", "TAPE");
    return values;
}

static void read_tape(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(&tape, sizeof tape, 1, file) != 1) fail("the tape cannot be read", path);
    lengths = array(file, sizeof *lengths, tape.episodes);
    preparation_count = array(file, sizeof *preparation_count, tape.episodes);
    settle = array(file, sizeof *settle, tape.preparations);
    states = array(file, sizeof *states, (size_t)tape.preparations * (tape.nq + tape.nv));
    actions = array(file, sizeof *actions, (size_t)tape.steps * tape.nu);
    fclose(file);
}

static void whole_steps(int count) {
    for (int i = 0; i < count; i++) step(model, data);
}

/* dm_control's legacy step. */
static void legacy_step(int count) {
    if (!tape.runge_kutta) {
        step2(model, data);
        count--;
    }
    whole_steps(count);
    step1(model, data);
}

/* An evaluation of a start state. The Control Suite leaves the actuators out of it: after a reset their forces are 0. */
static void evaluate(void) {
    if (!tape.control_suite) {
        forward(model, data);
        return;
    }
    step1(model, data);
    forward_acceleration(model, data);
    forward_constraint(model, data);
    sensor_acceleration(model, data);
}

static void reset(int preparation, int count) {
    reset_data(model, data);
    if (tape.control_suite) evaluate();
    for (int i = preparation; i < preparation + count; i++) {
        const double *state = states + (size_t)i * (tape.nq + tape.nv);
        memcpy(qpos, state, tape.nq * sizeof *state);
        memcpy(qvel, state + tape.nq, tape.nv * sizeof *state);
        if (settle[i])
            legacy_step(settle[i]);
        else
            evaluate();
    }
}

static void control_step(const float *action) {
    for (int i = 0; i < tape.nu; i++) ctrl[i] = action[i];
    if (tape.control_suite) {
        legacy_step(tape.frame_skip);
    } else {
        whole_steps(tape.frame_skip);
        rne_post_constraint(model, data);
    }
}

/* Control steps from the tape's beginning, which begins again at its end. */
static void play(int64_t steps) {
    int64_t done = 0;
    while (done < steps) {
        const float *action = actions;
        int preparation = 0;
        for (int episode = 0; episode < tape.episodes && done < steps; episode++) {
            reset(preparation, preparation_count[episode]);
            preparation += preparation_count[episode];
            for (int i = 0; i < lengths[episode] && done < steps; i++, done++) {
                control_step(action);
                action += tape.nu;
            }
        }
    }
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void print_bits(const double *values, int count) {
    for (int i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, values + i, sizeof bits);
        printf("%016" PRIX64, bits);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) fail("usage", "environment_loop LIBMUJOCO MODEL.xml TAPE");
    load(argv[1], argv[2]);
    read_tape(argv[3]);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "END", 3)) {
            play(tape.steps);
            print_bits(qpos, tape.nq);
            print_bits(qvel, tape.nv);
            printf("\n");
        } else {
            int64_t steps = strtoll(line, NULL, 10);
            double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
            play(steps);
            cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
            wall = seconds(CLOCK_MONOTONIC) - wall;
            printf("%.9f %.9f\n", wall, cpu);
        }
        fflush(stdout);
    }
    return 0;
}
