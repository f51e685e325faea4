namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

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

    member _.Codec: Codec =
        Codec.all [
            for stack in 0 .. layout.Stacks - 1 do
                for layer in 0 .. layout.HiddenLayers - 1 do
                    let utilities, ages, debts = utility[stack], age[stack], owed[stack]
                    Codec.floats utilities[layer]
                    Codec.int64s ages[layer]
                    Codec.float (fun () -> debts[layer]) (fun stored -> debts[layer] <- stored)
        ]

/// Continual backprop (Dohare et al. 2024, "Loss of plasticity in deep continual learning", Algorithm 1): after every update of a network the
/// least useful of its mature hidden units are replaced. Utility is the decayed contribution |h| * sum |outgoing weights|, h averaged over
/// the training batch.
[<Sealed>]
type ContinualBackprop(trainee: Trainee, settings: ContinualBackpropSettings, seed: int64) =
    inherit Intervention()

    let mutable draws = Draws.Of(seed, Purpose.ContinualBackprop)

    let books = [
        for group in trainee.UpdateOrder -> struct (group, UnitBook(group.Networks, settings))
    ]

    let mutable replaced = 0L

    let replace (group: TraineeGroup) (book: UnitBook) =
        let networks, pass = group.Networks, group.Training()
        let activity = Activity networks
        activity.Add(pass, (pass.Output 0).Rows)

        let magnitudes =
            activity.Layers
            |> Array.map _.Statistics.MeanAbs
            |> Array.chunkBySize networks.Layout.HiddenLayers

        let chosen = book.Choose(magnitudes, networks.ReadOnline Field.Weights)
        replaced <- replaced + int64 (NeuronRedraw.apply trainee.Forgetting networks chosen draws)

    override _.AfterUpdate(t, _, _) =
        for struct (group, book) in books do
            if group.IsDue t then
                replace group book

    override _.Metrics(_, _) = [| struct ("continual_backprop_replaced", float replaced) |]

    override _.State = {
        Random = [ Codec.draws (fun () -> draws) (fun stored -> draws <- stored) ]
        Counters = [
            Codec.int64 (fun () -> replaced) (fun stored -> replaced <- stored)
            for struct (_, book) in books do
                book.Codec
        ]
    }
