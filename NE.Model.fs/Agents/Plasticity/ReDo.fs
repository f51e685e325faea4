namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Random
open NE.Model.Replay

/// ReDo (Sokar et al. 2023, "The dormant neuron phenomenon in deep reinforcement learning"): every so many gradient steps, hidden
/// neurons that are dormant on a fresh batch are drawn anew, in both critics and the actor.
[<Sealed>]
type ReDo(networks: Td3Networks, probe: Td3Workspace, settings: Settings) =
    inherit Intervention()

    let every = settings.ReDo.Every.Value
    let forgetting = GrowthRules.forgetting settings.Td3
    let mutable draws = stream settings.Run.Seed Purpose.ReDo
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

    let recycle (group: NetworkGroup) (pass: Networks.IPass) t =
        pass.Forward()
        let activity = Activity group
        activity.Add(pass, probe.Rows)
        let dormant = activity.Dormant settings.ReDo.Threshold
        let count = NeuronRedraw.apply forgetting group dormant draws
        redrawn <- redrawn + int64 count

        if count > 0 then
            report group dormant t

    override _.AfterUpdate(t, source, window) =
        if t % every = 0L then
            probe.GatherUniform(source, window, draws)
            recycle networks.Critics probe.Critics t
            recycle networks.Actor probe.Actor t

    override _.TakeChanges() =
        let taken = changes.ToArray()
        changes.Clear()
        taken

    override _.Metrics(_, _) = [| struct ("redo_redrawn", float redrawn) |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws
        counters.Write redrawn
        TopologyBytes.write counters changes

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random
        redrawn <- counters.ReadInt64()
        changes.Clear()
        changes.AddRange(TopologyBytes.read counters)
