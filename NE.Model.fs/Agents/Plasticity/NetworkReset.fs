namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Random

/// Reset (Nikishin et al. 2022, "The primacy bias in deep reinforcement learning"; spec 5): actor, critics, targets and optimiser are
/// created anew now and then; the replay buffer, the counters and the exploration go on. In a cycle of tasks also at every switch.
[<Sealed>]
type NetworkReset(networks: Td3Networks, settings: Settings) =
    inherit Intervention()

    let every = settings.Reset.Every.Value
    let clock = EnvironmentClock settings
    // What is created anew shortly before the end never learns again.
    let last = settings.Run.Steps - every / 2L
    let mutable draws = stream settings.Run.Seed Purpose.NetworkReset
    let mutable count = 0L

    let reset () =
        for group in [ networks.Actor; networks.Critics ] do
            if settings.Td3.OptimizerReset then
                group.Recreate draws
            else
                group.Initialise draws

        count <- count + 1L

    override _.BeforeUpdate t =
        match clock.Completed t with
        | ValueSome step when step % every = 0L && step <= last -> reset ()
        | _ -> ()

    override _.SwitchTask() = reset ()
    override _.Metrics = [| struct ("resets", float count) |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws
        counters.Write count

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random
        count <- counters.ReadInt64()
