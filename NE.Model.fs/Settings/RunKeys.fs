namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// What is run: the task, cycles of tasks, the schedule, and what computes.
module internal RunKeys =

    let keys: Key list = [
        fixedKey "run.environment" "" Paper text (fun s -> s.Run.Environment) (fun v s -> { s with Run.Environment = v }) "The task."
        fixedKey
            "run.method"
            ""
            Paper
            methods
            (fun s -> s.Run.Method)
            (fun v s -> { s with Run.Method = v })
            "The agent: dense TD3, or TD3 with what keeps it plastic, joined by '+', such as ne or redo+layer-norm."
        fixedKey
            "run.seed"
            ""
            Paper
            (wholeNumber Int64.MinValue Int64.MaxValue)
            (fun s -> s.Run.Seed)
            (fun v s -> { s with Run.Seed = v })
            "Seed of every random stream; evaluation uses seed + 100."
        key
            "run.steps"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Run.Steps)
            (fun v s -> { s with Run.Steps = v })
            "Length of the run, all environments together; of a cycle: tasks x cycles x cycle.steps."
        key
            "cycle.cycles"
            "visits of every task"
            Paper
            (count 1L)
            (fun s -> s.Cycle.Cycles)
            (fun v s -> { s with Cycle.Cycles = v })
            "How often every task of run.environment = cycle:... is visited."
        fixedKey
            "cycle.steps"
            "environment steps"
            Ours
            (derived (steps 0L))
            (fun s -> s.Cycle.Steps)
            (fun v s -> { s with Cycle.Steps = v })
            "Length of a phase, the same for every task; auto: run.steps shared equally, or 100,000 when that is not given."
        fixedKey
            "cycle.episodes"
            "training episodes"
            PaperUnstated
            (steps 0L)
            (fun s -> s.Cycle.Episodes)
            (fun v s -> { s with Cycle.Episodes = v })
            "Length of a phase in episodes instead, as in the paper; 0 counts steps."
        fixedKey
            "cycle.warmUp"
            "environment steps"
            Ours
            (derived (steps 0L))
            (fun s -> s.Cycle.WarmUp)
            (fun v s -> { s with Cycle.WarmUp = v })
            "Steps after a switch with the policy as it is, before updates go on; auto: 5,000, at most a twentieth of a phase."
        fixedKey "cycle.buffer" "" Ours clearedBuffer ignore (fun () s -> s) "What becomes of the replay buffer at a switch."
        fixedKey
            "schedule.kind"
            ""
            Ours
            (choice [ "serial", Serial; "pipelined", Pipelined; "async", Async ])
            (fun s -> s.Schedule.Kind)
            (fun v s -> { s with Schedule.Kind = v })
            "Who may step when: the paper's loop, one deterministic round ahead, or free."
        fixedKey
            "schedule.environments"
            "environments"
            Ours
            (int32Of (wholeNumber 1L 1024L))
            (fun s -> s.Schedule.Environments)
            (fun v s -> { s with Schedule.Environments = v })
            "Environments of the run, each on its own thread."
        fixedKey
            "schedule.roundSteps"
            "steps"
            Ours
            (int32Of (wholeNumber 1L 100_000L))
            (fun s -> s.Schedule.RoundSteps)
            (fun v s -> { s with Schedule.RoundSteps = v })
            "Steps that every environment takes in one round."
        key
            "compute.device"
            ""
            Ours
            device
            (fun s -> s.Compute.Device)
            (fun v s -> { s with Compute.Device = v })
            "Where the learner computes; auto takes CUDA when there is one."
        fixedKey
            "compute.engine"
            ""
            Ours
            (derived (choice [ "torch", EngineKind.Torch; "simd", EngineKind.Simd ]))
            (fun s -> s.Compute.Engine)
            (fun v s -> { s with Compute.Engine = v })
            "What computes a gradient step: libtorch, or our vector kernels; the bits of a run depend on it. auto: torch on CUDA, else simd."
        {
            key
                "compute.threads"
                "threads"
                Ours
                (derived (int32Of (wholeNumber 1L 256L)))
                (fun s -> s.Compute.Threads)
                (fun v s -> { s with Compute.Threads = v })
                "Threads of the learner; auto: with the engine simd, whose bits they do not change, the machine's cores, at most 2; with torch 1, since there they do." with
                // The simd engine gives the same bits on any number of threads.
                MayChange = fun settings -> settings.Compute.Engine <> Is EngineKind.Torch
        }
    ]
