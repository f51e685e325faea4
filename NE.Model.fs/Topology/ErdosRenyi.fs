namespace NE.Model.Topology

open System

/// Shape of a linear layer: `Out` x `In` weights.
[<Struct>]
type LayerShape = {
    /// n_l, the number of neurons.
    Out: int
    /// n_{l-1}, the number of inputs.
    In: int
} with

    /// N_l, the number of weights.
    member shape.Size = int64 shape.Out * int64 shape.In

/// Whether the first and the last layer of a stack start, and stay, dense.
[<RequireQualifiedAccess>]
type DenseEnds =
    /// Both, if the budget allows it and every sparse layer keeps a density of at least 0.10; otherwise the last one only, and neither
    /// if the budget is too small even for that.
    | Auto
    /// Both; an error if the budget does not allow it.
    | Forced
    /// Neither is forced (the official code); Erdos-Renyi may still saturate them.
    | Off

/// How a density budget is spread over the layers.
[<RequireQualifiedAccess>]
type Allocation =
    /// Proportional to (n_l + n_{l-1}) / N_l, the Erdos-Renyi rule of SET, RigL and the paper.
    | ErdosRenyi
    /// The same density in every layer that is not forced.
    | Uniform

/// Which weights the start density counts.
[<RequireQualifiedAccess>]
type DensityScope =
    /// All weights of the network.
    | Network
    /// Only the layers that are not forced dense.
    | Elastic
    /// All weights and the gains of layer normalisation, which are always there (the official code's D4).
    | NetworkAndGains

/// Densities of a pool of layers.
type DensitySolution = {
    /// d_l in (0, 1], in the order of the pool.
    Densities: float[]
    /// eps of every round of the saturation loop, the last one in force; never decreasing. Empty when all layers are dense.
    Epsilons: float[]
}

/// What to allocate: the layers of one network and its budget.
type AllocationRequest = {
    /// The chains of layers, input side first: one for an actor, one per head for a critic. Solved jointly.
    Stacks: LayerShape[][]
    /// rho, the start density in (0, 1].
    Density: float
    /// How the budget is spread.
    Allocation: Allocation
    /// Whether the ends are dense.
    DenseEnds: DenseEnds
    /// What the density counts.
    Scope: DensityScope
    /// Gains of layer normalisation of the whole network; read for `DensityScope.NetworkAndGains`.
    Gains: int
}

/// One layer's share.
type LayerDensity = {
    /// Its shape.
    Shape: LayerShape
    /// d_l in (0, 1].
    Density: float
    /// |M_l|, the number of weights to start with.
    Active: int
    /// Whether its mask may ever change; a layer that starts full stays full.
    Elastic: bool
}

/// The start topology's sizes.
type DensityPlan = {
    /// The layers in the order of the request.
    Stacks: LayerDensity[][]
    /// eps of the Erdos-Renyi rule, 0 for a uniform allocation.
    Epsilon: float
}

/// Erdos-Renyi and uniform densities (docs/algorithm.md 2.4; Mocanu et al. 2018, Evci et al. 2020, paper section 3.2).
[<RequireQualifiedAccess>]
module ErdosRenyi =

    /// Below this density in any elastic layer `DenseEnds.Auto` does not force the first layer.
    [<Literal>]
    let LeastElasticDensity = 0.10

    let private infeasible density needed budget =
        Error(
            $"A density of {density} leaves no weight for the sparse layers: the dense ones alone have {needed} weights, the budget is {budget:F0}. "
            + "Raise the density, or force fewer layers dense."
        )

    let private sizeOf (shapes: LayerShape[]) (included: bool[]) =
        Seq.zip shapes included
        |> Seq.sumBy (fun (shape, isIn) -> if isIn then shape.Size else 0L)

    /// Densities d_l = eps (n_l + n_{l-1}) / N_l of the pool such that the total is rho * sum N, with the `forced` layers at 1. Layers
    /// that would pass 1 are set to 1 and the rest is solved again. An error if the forced layers use up the budget.
    let solve (shapes: LayerShape[]) (density: float) (forced: bool[]) : Result<DensitySolution, string> =
        let budget = density * float (shapes |> Array.sumBy _.Size)
        let neurons (shape: LayerShape) = float (shape.Out + shape.In)

        let rec round (dense: bool[]) epsilons =
            let used = sizeOf shapes dense
            let remaining = budget - float used

            if Array.forall id dense then
                // Rounding of the budget may leave a fraction of a weight.
                if remaining > -0.5 then
                    Ok {
                        Densities = Array.map (fun _ -> 1.0) shapes
                        Epsilons = Array.ofList (List.rev epsilons)
                    }
                else
                    infeasible density used budget
            elif remaining <= 0.0 then
                infeasible density used budget
            else
                let weight =
                    Seq.zip shapes dense
                    |> Seq.sumBy (fun (shape, isDense) -> if isDense then 0.0 else neurons shape)

                let epsilon = remaining / weight

                let densities =
                    Array.map2
                        (fun (shape: LayerShape) isDense ->
                            if isDense then
                                1.0
                            else
                                epsilon * neurons shape / float shape.Size)
                        shapes
                        dense

                let highest = Array.max densities

                if highest > 1.0 then
                    round (Array.map2 (fun isDense d -> isDense || d = highest) dense densities) (epsilon :: epsilons)
                else
                    Ok {
                        Densities = densities
                        Epsilons = Array.ofList (List.rev (epsilon :: epsilons))
                    }

        round (Array.copy forced) []

    /// One density for all layers that are not forced, with the same total as `solve`.
    let uniform (shapes: LayerShape[]) (density: float) (forced: bool[]) : Result<DensitySolution, string> =
        let all = shapes |> Array.sumBy _.Size
        let used = sizeOf shapes forced
        let budget = density * float all
        let remaining = budget - float used

        if used = all && density < 1.0 || used < all && remaining <= 0.0 then
            infeasible density used budget
        else
            let rest =
                if used = all then
                    1.0
                else
                    min 1.0 (remaining / float (all - used))

            Ok {
                Densities = forced |> Array.map (fun isForced -> if isForced then 1.0 else rest)
                Epsilons = [||]
            }

    /// |M_l| = N - floor((1 - d) N) (RigL's rounding), and at least one weight per output neuron.
    let activeCount (density: float) (shape: LayerShape) : int =
        // The 1e-6 absorbs the rounding of the solve, so that an exact density gives its exact count.
        let active =
            shape.Size - int64 (Math.Floor((1.0 - density) * float shape.Size + 1e-6))

        int (min shape.Size (max active (int64 shape.Out)))

    let private forcedOf first last (stack: LayerShape[]) =
        Array.init stack.Length (fun l -> first && l = 0 || last && l = stack.Length - 1)

    let private solveWith (request: AllocationRequest) first last =
        let shapes = Array.concat request.Stacks
        let forced = request.Stacks |> Array.collect (forcedOf first last)

        let run =
            match request.Allocation with
            | Allocation.ErdosRenyi -> solve
            | Allocation.Uniform -> uniform

        match request.Scope with
        | DensityScope.Network -> run shapes request.Density forced
        | DensityScope.NetworkAndGains ->
            // The same budget, less what the gains take of it.
            let weights = shapes |> Array.sumBy _.Size |> float
            let gains = float request.Gains
            run shapes ((request.Density * (weights + gains) - gains) / weights) forced
        | DensityScope.Elastic ->
            let pool =
                Array.zip shapes forced
                |> Array.choose (fun (shape, isForced) -> if isForced then None else Some shape)

            run pool request.Density (Array.create pool.Length false)
            |> Result.map (fun solution ->
                let mutable next = 0

                let densities =
                    forced
                    |> Array.map (fun isForced ->
                        if isForced then
                            1.0
                        else
                            next <- next + 1
                            solution.Densities[next - 1])

                { solution with Densities = densities })

    let private planOf (request: AllocationRequest) first last (solution: DensitySolution) =
        let mutable next = 0

        let stacks =
            request.Stacks
            |> Array.map (fun stack ->
                Array.zip stack (forcedOf first last stack)
                |> Array.map (fun (shape, isForced) ->
                    let density = solution.Densities[next]
                    next <- next + 1
                    let active = activeCount density shape

                    {
                        Shape = shape
                        Density = density
                        Active = active
                        Elastic = not isForced && int64 active < shape.Size
                    }))

        {
            Stacks = stacks
            Epsilon =
                if Array.isEmpty solution.Epsilons then
                    0.0
                else
                    Array.last solution.Epsilons
        }

    let private validate (request: AllocationRequest) =
        if not (request.Density > 0.0 && request.Density <= 1.0) then
            Error $"The start density must be above 0 and at most 1, but it is {request.Density}."
        elif request.Stacks.Length = 0 || request.Stacks |> Array.exists Array.isEmpty then
            Error "Every network needs at least one layer."
        elif
            request.Stacks
            |> Array.exists (Array.exists (fun shape -> shape.Out <= 0 || shape.In <= 0))
        then
            Error "Every layer needs at least one neuron and one input."
        else
            Ok request

    /// The start density of every layer of a network, jointly over its stacks, by the dense-ends rule of docs/algorithm.md 2.4.
    let allocate (request: AllocationRequest) : Result<DensityPlan, string> =
        let attempt first last =
            solveWith request first last |> Result.map (planOf request first last)

        validate request
        |> Result.bind (fun request ->
            match request.DenseEnds with
            | DenseEnds.Off -> attempt false false
            | DenseEnds.Forced -> attempt true true
            | DenseEnds.Auto ->
                let elasticEnough plan =
                    plan.Stacks
                    |> Seq.concat
                    |> Seq.forall (fun layer -> not layer.Elastic || layer.Density >= LeastElasticDensity)

                match attempt true true, attempt false true with
                | Ok plan, _ when elasticEnough plan -> Ok plan
                | _, Ok plan -> Ok plan
                | _, Error _ -> attempt false false)
