namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Random
open NE.Model.Topology

/// Plasticity injection (Nikishin et al. 2023, "Deep reinforcement learning with plasticity injection"): at one step of the run the actor and both
/// critics are frozen, and new bodies learn on top of them, without any effect on the outputs at that moment.
[<Sealed>]
type PlasticityInjection(networks: Td3Networks, workspaces: Td3Workspace list, probe: Td3Workspace, settings: Settings) =
    inherit Intervention()

    let at = settings.Injection.Step.Value
    let clock = EnvironmentClock settings
    let mutable draws = stream settings.Run.Seed Purpose.PlasticityInjection
    let groups = [ networks.Actor; networks.Critics ]

    let isInjected () = networks.Actor.Injected.IsSome

    let rebuild () =
        for workspace in workspaces do
            workspace.Rebuild()

    /// anr(0) over all three bodies; before the injection over the only one. The metrics of the agent count the body that learns.
    let activated (group: NetworkGroup) (pass: Networks.IPass) =
        let passes =
            match pass with
            | :? InjectedPass as injected -> injected.Bodies
            | plain -> [ plain ]

        let layers =
            passes
            |> List.map (fun body ->
                let activity = Activity group
                activity.Add(body, probe.Rows)
                activity.Layers)
            |> Array.concat

        (Dormancy.ratios 0.0 layers).Activated

    override _.BeforeUpdate t =
        if not (isInjected ()) && clock.IsPast(at, t) then
            for group in groups do
                group.Inject draws

            rebuild ()

    override _.Metrics(_, _) = [|
        struct ("injected", (if isInjected () then 1.0 else 0.0))
        struct ("actor_anr_0_all_bodies", activated networks.Actor probe.Actor)
        struct ("critic_anr_0_all_bodies", activated networks.Critics probe.Critics)
    |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws

        for group in groups do
            group.SaveInjected counters

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random

        for group in groups do
            group.RestoreInjected counters

        rebuild ()
