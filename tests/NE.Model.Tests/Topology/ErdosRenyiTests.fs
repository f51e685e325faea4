module NE.Model.Tests.Topology.ErdosRenyiTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

let private chain (widths: int list) =
    widths
    |> List.pairwise
    |> List.map (fun (input, output) -> { Out = output; In = input })
    |> Array.ofList

let private request stacks = {
    Stacks = stacks
    Density = 0.25
    Allocation = Allocation.ErdosRenyi
    DenseEnds = DenseEnds.Auto
    Scope = DensityScope.Network
    Gains = 0
}

let private allocated request =
    match ErdosRenyi.allocate request with
    | Ok plan -> plan
    | Error message -> failtest message

let private actor hidden states actions =
    request [| chain ([ states ] @ hidden @ [ actions ]) |]

let private critic hidden states actions =
    let head = chain ([ states + actions ] @ hidden @ [ 1 ])
    request [| head; head |]

/// Expected densities are compared to the decimals that the table prints.
/// Active weights / weights of the layers.
let private density (layers: LayerDensity[]) =
    float (layers |> Array.sumBy (fun layer -> int64 layer.Active))
    / float (layers |> Array.sumBy _.Shape.Size)

let private totalDensity (plan: DensityPlan) = plan.Stacks |> Array.concat |> density

/// Whether this layer of every stack is dense and stays so.
let private areDense (layer: LayerDensity[] -> LayerDensity) (plan: DensityPlan) =
    plan.Stacks |> Array.forall (fun stack -> not (layer stack).Elastic)

let private golden name (request: AllocationRequest) densities decimals forced =
    testCase name
    <| fun () ->
        let plan = allocated request

        for stack in plan.Stacks do
            Seq.iter2
                (fun (layer: LayerDensity) (expected: float) ->
                    Expect.equal (Math.Round(layer.Density, (decimals: int))) expected $"density of {layer.Shape.Out} x {layer.Shape.In}"
                    Expect.equal layer.Elastic (layer.Density < 1.0) "elastic")
                stack
                (densities: float list)

        Expect.equal (areDense Array.head plan) forced "first layer forced"
        Expect.isTrue (areDense Array.last plan) "last layer forced"
        Expect.floatClose { absolute = 0.0; relative = 0.001 } (totalDensity plan) 0.25 "total density"

let private wide = [ 256; 256 ]
let private table1 = [ 256; 128 ]

let private goldenTables =
    testList "reproduces the golden table" [
        golden "HalfCheetah and Walker2d actor" (actor wide 17 6) [ 1.0; 0.18262; 1.0 ] 5 true
        golden "HalfCheetah and Walker2d critic" (critic wide 17 6) [ 1.0; 0.17969; 1.0 ] 5 true
        golden "Hopper actor" (actor wide 11 3) [ 1.0; 0.2090; 1.0 ] 4 true
        golden "Hopper critic" (critic wide 11 3) [ 1.0; 0.2061; 1.0 ] 4 true
        golden "Ant-27 actor" (actor wide 27 8) [ 1.0; 0.1475; 1.0 ] 4 true
        golden "Ant-27 critic" (critic wide 27 8) [ 1.0; 0.1445; 1.0 ] 4 true
        golden "Ant-105 actor" (actor wide 105 8) [ 0.3318; 0.1930; 1.0 ] 4 false
        golden "Ant-105 critic" (critic wide 105 8) [ 0.3392; 0.2077; 1.0 ] 4 false
        golden "Ant-111 actor" (actor wide 111 8) [ 0.3225; 0.1951; 1.0 ] 4 false
        golden "Ant-111 critic" (critic wide 111 8) [ 0.3304; 0.2097; 1.0 ] 4 false
        golden "Humanoid-376 actor" (actor wide 376 17) [ 0.2134; 0.2539; 1.0 ] 4 false
        golden "Humanoid-376 critic" (critic wide 376 17) [ 0.2297; 0.2782; 1.0 ] 4 false
        golden "Humanoid-348 actor" (actor wide 348 17) [ 0.2150; 0.2478; 1.0 ] 4 false
        golden "Humanoid-348 critic" (critic wide 348 17) [ 0.2320; 0.2727; 1.0 ] 4 false
        golden "HalfCheetah actor, table 1" (actor table1 17 6) [ 1.0; 0.1328; 1.0 ] 4 true
        golden "HalfCheetah critic, table 1" (critic table1 17 6) [ 1.0; 0.1123; 1.0 ] 4 true
        golden "Hopper actor, table 1" (actor table1 11 3) [ 1.0; 0.1768; 1.0 ] 4 true
        golden "Hopper critic, table 1" (critic table1 11 3) [ 1.0; 0.1650; 1.0 ] 4 true
        golden "Ant-27 actor, table 1" (actor table1 27 8) [ 0.5618; 0.1608; 1.0 ] 4 false
        golden "Ant-27 critic, table 1" (critic table1 27 8) [ 0.4973; 0.1794; 1.0 ] 4 false
        golden "Humanoid-376 actor, table 1" (actor table1 376 17) [ 0.1979; 0.3532; 1.0 ] 4 false
        golden "Humanoid-376 critic, table 1" (critic table1 376 17) [ 0.2076; 0.3772; 1.0 ] 4 false

        testCase "of counts and eps"
        <| fun () ->
            let hidden request =
                (allocated request).Stacks[0].[1].Active

            Expect.equal (hidden (actor wide 17 6)) 11968 "actor"
            Expect.equal (hidden (critic wide 17 6)) 11776 "critic"
            Expect.equal (allocated (actor wide 17 6)).Epsilon 23.375 "eps of the actor"
            Expect.equal (allocated (critic wide 17 6)).Epsilon 23.0 "eps of the critic"
            Expect.equal (allocated (actor wide 11 3)).Epsilon 26.75 "Hopper's eps"
            Expect.equal (Math.Round((allocated (actor wide 376 17)).Epsilon, 3)) 32.503 "Humanoid's eps"

        testCase "where plain Erdos-Renyi gives what forcing the ends gives"
        <| fun () ->
            for auto in [ actor wide 17 6; critic wide 17 6; actor wide 11 3; critic wide 11 3 ] do
                let plain = allocated { auto with DenseEnds = DenseEnds.Off }

                Expect.equal
                    (plain.Stacks |> Array.map (Array.map _.Density))
                    ((allocated auto).Stacks |> Array.map (Array.map _.Density))
                    "densities"

            let first (auto: AllocationRequest) =
                Math.Round((allocated { auto with DenseEnds = DenseEnds.Off }).Stacks[0].[0].Density, 3)

            Expect.equal (first (actor wide 27 8)) 0.854 "plain first layer of Ant's actor"
            // 291 * 18432 / 803 / 8960 = 0.74549; an earlier table had 0.746.
            Expect.equal (first (critic wide 27 8)) 0.745 "plain first layer of Ant's critic"

        testCase "where forcing both ends is impossible"
        <| fun () ->
            for states in [ 376; 348 ] do
                for auto in [ actor wide states 17; critic wide states 17 ] do
                    Expect.isError
                        (ErdosRenyi.allocate {
                            auto with
                                DenseEnds = DenseEnds.Forced
                        })
                        "Humanoid"

            for states in [ 105; 111 ] do
                for auto in [ actor wide states 8; critic wide states 8 ] do
                    Expect.isError
                        (ErdosRenyi.allocate {
                            auto with
                                DenseEnds = DenseEnds.Forced
                        })
                        "Ant"
    ]

let private randomShapes draws =
    Array.init (between 1 7 draws) (fun _ -> {
        Out = between 1 300 draws
        In = between 1 300 draws
    })

/// The saturation loop of docs/algorithm.md 2.4 with one layer added per round, the last of those that pass 1.
let private oneAtATime (shapes: LayerShape[]) density =
    let total = shapes |> Array.sumBy _.Size |> float

    let rec go (dense: Set<int>) =
        let free = [
            for l in 0 .. shapes.Length - 1 do
                if not (dense.Contains l) then
                    l
        ]

        if free.IsEmpty then
            Array.create shapes.Length 1.0
        else
            let remaining =
                density * total - (dense |> Seq.sumBy (fun l -> float shapes[l].Size))

            let epsilon =
                remaining / (free |> List.sumBy (fun l -> float (shapes[l].Out + shapes[l].In)))

            let raw l =
                epsilon * float (shapes[l].Out + shapes[l].In) / float shapes[l].Size

            match free |> List.tryFindBack (fun l -> raw l > 1.0 + 1e-12) with
            | Some l -> go (dense.Add l)
            | None -> Array.init shapes.Length (fun l -> if dense.Contains l then 1.0 else raw l)

    go Set.empty

[<Tests>]
let tests =
    testList "density allocation" [
        goldenTables

        law "spends the budget, keeps densities in (0, 1] and never lowers eps" (fun seed ->
            let draws = drawsOf seed
            let shapes = randomShapes draws
            let density = 0.02 + 0.98 * draws.NextDouble()

            match ErdosRenyi.solve shapes density (Array.create shapes.Length false) with
            | Error message -> failtest message
            | Ok solution ->
                let total = shapes |> Array.sumBy _.Size |> float

                let spent =
                    Seq.zip shapes solution.Densities
                    |> Seq.sumBy (fun (shape, d) -> d * float shape.Size)

                Expect.floatClose Accuracy.high spent (density * total) "budget"
                Expect.all solution.Densities (fun d -> d > 0.0 && d <= 1.0) "densities"
                Expect.equal (Array.sort solution.Epsilons) solution.Epsilons "eps never decreases"

                for shape, d in Seq.zip shapes solution.Densities do
                    let exact = d * float shape.Size
                    let active = ErdosRenyi.activeCount d shape

                    Expect.isTrue
                        (float active >= exact - 1e-3
                         && (float active < exact + 1.001 || active = shape.Out))
                        "rounding")

        law "does not depend on the order in which layers saturate" (fun seed ->
            let draws = drawsOf seed
            let shapes = randomShapes draws
            let density = 0.02 + 0.98 * draws.NextDouble()

            match ErdosRenyi.solve shapes density (Array.create shapes.Length false) with
            | Error message -> failtest message
            | Ok solution ->
                Seq.iter2 (fun a b -> Expect.floatClose Accuracy.high a b "density") solution.Densities (oneAtATime shapes density))

        law "gives twin heads the same densities" (fun seed ->
            let draws = drawsOf seed

            let head =
                chain [ between 1 400 draws; between 8 300 draws; between 8 300 draws; 1 ]

            let density = 0.05 + 0.9 * draws.NextDouble()

            for allocation in [ Allocation.ErdosRenyi; Allocation.Uniform ] do
                match
                    ErdosRenyi.allocate {
                        request [| head; head |] with
                            Density = density
                            Allocation = allocation
                            DenseEnds = DenseEnds.Off
                    }
                with
                | Ok plan -> Expect.equal plan.Stacks[0] plan.Stacks[1] "heads"
                | Error message -> failtest message)

        testCase "of a uniform rule has one density and the same total"
        <| fun () ->
            let auto = actor [ 256; 256; 256 ] 17 6

            let uniform =
                allocated {
                    auto with
                        Allocation = Allocation.Uniform
                }

            let er = allocated auto
            Expect.equal uniform.Stacks[0].[1].Density uniform.Stacks[0].[2].Density "hidden layers"
            Expect.floatClose Accuracy.medium (totalDensity uniform) (totalDensity er) "total"

            let off =
                allocated {
                    auto with
                        Allocation = Allocation.Uniform
                        DenseEnds = DenseEnds.Off
                }

            Expect.all off.Stacks[0] (fun layer -> layer.Density = 0.25) "nothing forced"

        testCase "with a budget over the elastic layers alone leaves the dense ends out of it"
        <| fun () ->
            let plan =
                allocated {
                    actor [ 1024; 1024 ] 50 6 with
                        DenseEnds = DenseEnds.Forced
                        Scope = DensityScope.Elastic
                }

            Expect.equal (plan.Stacks[0] |> Array.map _.Density) [| 1.0; 0.25; 1.0 |] "densities"
            Expect.equal (plan.Stacks |> Array.concat |> Array.filter _.Elastic |> density) 0.25 "elastic density"
            Expect.isGreaterThan (totalDensity plan) 0.25 "total density"

        testCase "with density 1 is dense everywhere"
        <| fun () ->
            for ends in [ DenseEnds.Auto; DenseEnds.Forced; DenseEnds.Off ] do
                for allocation in [ Allocation.ErdosRenyi; Allocation.Uniform ] do
                    for stacks in
                        [
                            (actor wide 376 17).Stacks
                            (critic table1 17 6).Stacks
                            [| chain [ 3; 2 ] |]
                        ] do
                        let plan =
                            allocated {
                                request stacks with
                                    Density = 1.0
                                    DenseEnds = ends
                                    Allocation = allocation
                            }

                        Expect.all
                            (Array.concat plan.Stacks)
                            (fun layer -> int64 layer.Active = layer.Shape.Size && not layer.Elastic)
                            "dense"

        testCase "by itself forces neither end if the budget is smaller than the last layer"
        <| fun () ->
            let plan = allocated (actor [ 256 ] 17 6)
            Expect.isFalse (areDense Array.head plan || areDense Array.last plan) "forced"
            Expect.floatClose { absolute = 0.001; relative = 0.0 } (totalDensity plan) 0.25 "budget"

        testCase "leaves at least one weight per neuron"
        <| fun () ->
            let plan =
                allocated {
                    actor wide 17 6 with
                        Density = 0.001
                        DenseEnds = DenseEnds.Off
                }

            Expect.all plan.Stacks[0] (fun layer -> layer.Active >= layer.Shape.Out) "active"

        testCase "refuses an impossible request in words"
        <| fun () ->
            let message request =
                match ErdosRenyi.allocate request with
                | Error message -> message
                | Ok _ -> failtest "an error was expected"

            Expect.stringContains (message { actor wide 17 6 with Density = 0.0 }) "above 0" "density"

            Expect.stringContains
                (message {
                    actor wide 376 17 with
                        DenseEnds = DenseEnds.Forced
                })
                "budget"
                "budget"

            Expect.stringContains (message (request [||])) "at least one layer" "layers"
    ]
