namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Random

/// The book of one network: per stack and hidden layer, how useful each unit was, how old it is, and what is still to be replaced.
[<Sealed>]
type private UnitBook(group: NetworkGroup, settings: ContinualBackpropSettings) =
    let layout = group.Layout
    let decay = float32 settings.UtilityDecay

    let make (value: 'T) =
        Array.init layout.Stacks (fun stack ->
            Array.init layout.HiddenLayers (fun layer -> Array.create (layout.Slot(stack, layer)).Outputs value))

    let utility = make 0.0f
    let age = make 0L

    let owed =
        Array.init layout.Stacks (fun _ -> Array.zeroCreate<float> layout.HiddenLayers)

    let outgoing (weights: float32[]) stack layer =
        let next = layout.Slot(stack, layer + 1)
        let sums = Array.zeroCreate<float32> next.Inputs

        for row in 0 .. next.Outputs - 1 do
            for column in 0 .. next.Inputs - 1 do
                sums[column] <- sums[column] + abs weights[next.Weights + row * next.Inputs + column]

        sums

    /// Counts an update, and returns the units whose turn it is: of the mature ones those with the lowest utility.
    member _.Choose(magnitudes: float32[][][], weights: float32[]) : bool[][][] =
        Array.init layout.Stacks (fun stack ->
            Array.init layout.HiddenLayers (fun layer ->
                let u, a, h =
                    (utility[stack])[layer], (age[stack])[layer], (magnitudes[stack])[layer]

                let sums = outgoing weights stack layer

                for i in 0 .. u.Length - 1 do
                    u[i] <- decay * u[i] + (1.0f - decay) * h[i] * sums[i]
                    a[i] <- a[i] + 1L

                // The sum of the decayed shares is below 1 for a young unit.
                let corrected i =
                    u[i] / (1.0f - MathF.Pow(decay, float32 a[i]))

                let mature = [|
                    for i in 0 .. u.Length - 1 do
                        if a[i] > settings.Maturity then
                            i
                |]

                let chosen = Array.create u.Length false
                let due = (owed[stack])[layer] + settings.ReplacementRate * float mature.Length
                let count = min mature.Length (int due)
                (owed[stack])[layer] <- due - float count

                if count > 0 then
                    for i in mature |> Array.sortBy (fun i -> struct (corrected i, i)) |> Array.take count do
                        chosen[i] <- true
                        u[i] <- 0.0f
                        a[i] <- 0L

                chosen))

    member _.Save(writer: IO.BinaryWriter) =
        for stack in 0 .. layout.Stacks - 1 do
            for layer in 0 .. layout.HiddenLayers - 1 do
                StateBytes.writeFloats writer ((utility[stack])[layer])
                (age[stack])[layer] |> Array.iter writer.Write
                writer.Write((owed[stack])[layer])

    member _.Restore(reader: IO.BinaryReader) =
        for stack in 0 .. layout.Stacks - 1 do
            for layer in 0 .. layout.HiddenLayers - 1 do
                StateBytes.readFloats reader ((utility[stack])[layer])
                let ages = (age[stack])[layer]

                for i in 0 .. ages.Length - 1 do
                    ages[i] <- reader.ReadInt64()

                (owed[stack])[layer] <- reader.ReadDouble()

/// Continual backprop (Dohare et al. 2024, "Loss of plasticity in deep continual learning", Algorithm 1): after every update of a network the
/// least useful of its mature hidden units are replaced. Utility is the decayed contribution |h| * sum |outgoing weights|, h averaged over
/// the training batch.
[<Sealed>]
type ContinualBackprop(networks: Td3Networks, td3: Td3, work: Td3Workspace, settings: Settings) =
    inherit Intervention()

    let forgetting = GrowthRules.forgetting settings.Td3
    let mutable draws = stream settings.Run.Seed Purpose.ContinualBackprop

    let critics, actor =
        UnitBook(networks.Critics, settings.ContinualBackprop), UnitBook(networks.Actor, settings.ContinualBackprop)

    let mutable replaced = 0L

    let replace (book: UnitBook) (group: NetworkGroup) (pass: IPass) =
        let activity = Activity group
        activity.Add(pass, work.Rows)

        let magnitudes =
            activity.Layers
            |> Array.map _.Statistics.MeanAbs
            |> Array.chunkBySize group.Layout.HiddenLayers

        let chosen = book.Choose(magnitudes, group.ReadOnline Field.Weights)
        replaced <- replaced + int64 (NeuronRedraw.apply forgetting group chosen draws)

    override _.AfterUpdate(t, _, _) =
        replace critics networks.Critics work.Critics

        if td3.IsActorDue t then
            replace actor networks.Actor work.Actor

    override _.Metrics(_, _) = [| struct ("continual_backprop_replaced", float replaced) |]

    override _.Save(random, counters) =
        StateBytes.writeStream random draws
        counters.Write replaced
        critics.Save counters
        actor.Save counters

    override _.Restore(random, counters) =
        draws <- StateBytes.readStream random
        replaced <- counters.ReadInt64()
        critics.Restore counters
        actor.Restore counters
