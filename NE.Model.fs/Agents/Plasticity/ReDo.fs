namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Replay

/// ReDo (Sokar et al. 2023, "The dormant neuron phenomenon in deep reinforcement learning"): every so many gradient steps, hidden
/// neurons that are dormant on a fresh batch are drawn anew, in every group of networks.
[<Sealed>]
type ReDo(trainee: Trainee, settings: ReDoSettings, seed: int64) =
    inherit Intervention()

    let every = settings.Every.Value
    let mutable draws = Draws.Of(seed, Purpose.ReDo)
    let mutable redrawn = 0L
    let changes = ResizeArray<TopologyChanged>()

    /// A topology event in which nothing is grown or pruned.
    let report (group: NetworkGroup) (dormant: bool[][][]) t =
        let layout = group.Layout

        changes.Add {
            Step = t
            Network = group.Name
            Layers = [|
                for slot in layout.Slots do
                    let stack, masks = dormant[slot.Stack], group.Masks[slot.Stack]

                    let touched =
                        if slot.Layer < layout.HiddenLayers then
                            let neurons = stack[slot.Layer]

                            [|
                                for i in 0 .. neurons.Length - 1 do
                                    if neurons[i] then
                                        i
                            |]
                        else
                            [||]

                    {
                        Stack = slot.Stack
                        Layer = slot.Layer
                        Grown = [||]
                        Pruned = [||]
                        Touched = touched
                        Dormant = touched.Length
                        Active = masks[slot.Layer].ActiveCount
                        Size = slot.WeightCount
                        MinScore = Single.NaN
                        MaxScore = Single.NaN
                    }
            |]
            OutputShift = nan
        }

    let recycle (group: TraineeGroup) t =
        let pass = group.Probe()
        pass.Forward()
        let activity = Activity group.Networks
        activity.Add(pass, trainee.Probe.Rows)
        let dormant = activity.Dormant settings.Threshold

        let count = NeuronRedraw.apply trainee.Forgetting group.Networks dormant draws

        redrawn <- redrawn + int64 count

        if count > 0 then
            report group.Networks dormant t

    override _.AfterUpdate(t, source, window) =
        if t % every = 0L then
            trainee.Probe.GatherUniform(source, window, draws)

            for group in trainee.UpdateOrder do
                recycle group t

    override _.TakeChanges() =
        let taken = changes.ToArray()
        changes.Clear()
        taken

    override _.Metrics(_, _) = [| struct ("redo_redrawn", float redrawn) |]

    override _.State = {
        Random = [ Codec.draws (fun () -> draws) (fun stored -> draws <- stored) ]
        Counters = [
            Codec.int64 (fun () -> redrawn) (fun stored -> redrawn <- stored)
            TopologyBytes.codec changes
        ]
    }
