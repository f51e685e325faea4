namespace NE.Model.Agents

open NE.Model
open NE.Model.Networks

/// What techniques and measurements know of an actor and two critics.
[<RequireQualifiedAccess>]
module ActorCriticTrainee =

    /// `isActorDue`: whether gradient step t updates the actor. The gradients are those of the losses on a workspace; `restart` lets begin anew
    /// what is learned beside the networks; `more` are metrics of the learner's own.
    let create
        (settings: Settings)
        (networks: ActorCriticNetworks)
        (perception: IPerception)
        (workspaces: Workspaces<'W>)
        (isActorDue: int64 -> bool)
        (criticGradient: 'W -> Draws -> float)
        (actorGradient: 'W -> Draws -> float)
        (restart: unit -> unit)
        (more: unit -> struct (string * float) list)
        : Trainee =
        let learner, probe = settings.Learner, workspaces.Probe

        let group role networks learningRate isDue (passIn: ActorCriticWorkspace -> IPass) input gradient = {
            Role = role
            Networks = networks
            Adam = LearnerOptions.adam learner learningRate
            IsDue = isDue
            Training = fun () -> passIn workspaces.Current
            Probe = fun () -> passIn probe
            Input = input
            Gradient = gradient probe
        }

        let critics =
            group
                Role.Critic
                networks.Critics
                learner.CriticLearningRate.Value
                (fun _ -> true)
                _.Critics
                probe.Inputs.ObservationAction
                criticGradient

        let actor =
            group Role.Actor networks.Actor learner.ActorLearningRate.Value isActorDue _.Actor probe.Inputs.Observation actorGradient

        let report () =
            let means = probe.Values |> Array.map networks.Engine.Mean
            let losses = TemporalDifference.meanSquares probe.Values probe.Target

            {
                First = [| struct ("q_mean", (means[0] + means[1]) / 2.0) |]
                Later = [|
                    struct ("critic_1_loss", losses[0])
                    struct ("critic_2_loss", losses[1])
                    struct ("critic_1_q_mean", means[0])
                    struct ("critic_2_q_mean", means[1])
                    yield! more ()
                |]
            }

        {
            Engine = networks.Engine
            Groups = [ actor; critics ]
            UpdateOrder = [ critics; actor ]
            Encoders = probe.Inputs.Encoders
            Probe = probe
            BatchSize = learner.BatchSize
            RowFloats = perception.RowFloats
            Forgetting = LearnerOptions.forgetting learner
            Clock = EnvironmentClock settings
            Rebuild =
                fun () ->
                    for workspace in workspaces.All do
                        workspace.Rebuild()
            Restart = restart
            Report = report
        }
