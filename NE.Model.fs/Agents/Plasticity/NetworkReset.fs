namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Topology

/// Reset (Nikishin et al. 2022, "The primacy bias in deep reinforcement learning"): actor, critics, targets, optimiser and temperature
/// are created anew now and then, in a cycle of tasks at every switch; the replay buffer, the counters and the exploration go on.
[<Sealed>]
type NetworkReset(trainee: Trainee, settings: ResetSettings, seed: int64) =
    inherit Intervention()

    let mutable draws = Draws.Of(seed, Purpose.NetworkReset)
    let mutable count = 0L

    let reset () =
        for group in trainee.Groups do
            if trainee.Forgetting = Forgetting.Nothing then
                group.Networks.Initialise draws
            else
                group.Networks.Recreate draws

        if settings.Temperature then
            trainee.Restart()

        count <- count + 1L

    override _.BeforeUpdate t =
        if trainee.Clock.IsDue(settings.Every.Value, t) then
            reset ()

    override _.SwitchTask() = reset ()
    override _.Metrics(_, _) = [| struct ("resets", float count) |]

    override _.State = {
        Random = [ Codec.draws (fun () -> draws) (fun stored -> draws <- stored) ]
        Counters = [ Codec.int64 (fun () -> count) (fun stored -> count <- stored) ]
    }
