namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Random

/// Reset (Nikishin et al. 2022, "The primacy bias in deep reinforcement learning"): actor, critics, targets and optimiser are
/// created anew now and then, in a cycle of tasks at every switch; the replay buffer, the counters and the exploration go on.
[<Sealed>]
type NetworkReset(networks: Td3Networks, settings: Settings) =
    inherit Intervention()

    let clock = EnvironmentClock settings
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
        if clock.IsDue(settings.Reset.Every.Value, t) then
            reset ()

    override _.SwitchTask() = reset ()
    override _.Metrics(_, _) = [| struct ("resets", float count) |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws
        counters.Write count

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random
        count <- counters.ReadInt64()
