namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Topology

/// Plasticity injection (Nikishin et al. 2023, "Deep reinforcement learning with plasticity injection"): at one step of the run all networks
/// are frozen, and new bodies learn on top of them, without any effect on the outputs at that moment.
[<Sealed>]
type PlasticityInjection(trainee: Trainee, settings: InjectionSettings, seed: int64) =
    inherit Intervention()

    let at = settings.Step.Value
    let mutable draws = Draws.Of(seed, Purpose.PlasticityInjection)
    let groups = trainee.Groups |> List.map _.Networks
    let isInjected () = groups.Head.Injected.IsSome

    /// anr(0) over all three bodies; before the injection over the only one. The metrics of the agent count the body that learns.
    let activated (group: TraineeGroup) =
        let passes =
            match group.Probe() with
            | :? InjectedPass as injected -> injected.Bodies
            | plain -> [ plain ]

        let layers =
            passes
            |> List.map (fun body ->
                let activity = Activity group.Networks
                activity.Add(body, trainee.Probe.Rows)
                activity.Layers)
            |> Array.concat

        (Dormancy.ratios 0.0 layers).Activated

    override _.BeforeUpdate t =
        if not (isInjected ()) && trainee.Clock.IsPast(at, t) then
            for group in groups do
                group.Inject draws

            trainee.Rebuild()

    override _.Metrics(_, _) = [|
        struct ("injected", (if isInjected () then 1.0 else 0.0))
        for group in trainee.Groups do
            struct ($"{group.Networks.Name}_anr_0_all_bodies", activated group)
    |]

    override _.State =
        let injections = Codec.all [ for group in groups -> GroupState.injection group ]

        {
            Random = [ Codec.draws (fun () -> draws) (fun stored -> draws <- stored) ]
            Counters = [
                {
                    injections with
                        Read =
                            fun reader ->
                                injections.Read reader
                                trainee.Rebuild()
                }
            ]
        }
