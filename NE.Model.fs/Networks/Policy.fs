namespace NE.Model.Networks

open System
open System.IO
open System.Runtime.InteropServices
open NE.Model
open NE.Model.Networks.Images
open NE.Model.Networks.Layers

[<RequireQualifiedAccess>]
type Exploration =
    | Off
    | Gaussian of deviation: float32

[<Sealed>]
type PolicyScratch internal (rows: int, width: int) =
    member _.Rows = rows
    /// Floats from the values of one observation to those of the next.
    member internal _.Width = width
    member val internal A = Array.zeroCreate<float32>(rows * width)
    member val internal B = Array.zeroCreate<float32>(rows * width)
    member val internal Sum = Array.zeroCreate<float32>(rows * width)

type PolicyNetwork = {
    Layout: BlockLayout
    Parameters: float32[]
    Head: Head
}

/// Networks in a row: the layouts and heads of those before the actor, and the actor's layout.
[<NoEquality; NoComparison>]
type private PolicyChain = {
    Before: (BlockLayout * Head) list
    Actor: BlockLayout
} with

    member this.Layouts = List.map fst this.Before @ [ this.Actor ]
    member this.Input = this.Layouts.Head.Form.Input

[<Sealed>]
type Policy private (version: int64, chain: PolicyChain, maxAction: float32, bodies: IHostLayer[][], exploration: Exploration) =
    static let observationSize (input: RowShape) =
        match input with
        | RowShape.Vector length -> length
        | RowShape.Image image -> HostImages.PackedSize image

    /// The linear outputs of a body; they are in one of the scratch's two arrays, which is returned.
    static let run (layers: IHostLayer[]) (inputs: int) (observations: ReadOnlySpan<float32>) (rows: int) (scratch: PolicyScratch) =
        let mutable x = scratch.A
        let mutable y = scratch.B

        for row in 0 .. rows - 1 do
            observations.Slice(row * inputs, inputs).CopyTo(x.AsSpan(row * scratch.Width))

        for layer in layers do
            use from = fixed x
            use into = fixed y
            layer.Forward(from, into, scratch.Width, rows)

            if not layer.IsInPlace then
                let next = y
                y <- x
                x <- next

        x

    static let body (layout: BlockLayout) (parameters: ReadOnlySpan<float32>) =
        use source = fixed parameters
        let address = source
        let slots = Seq.init layout.Layers (fun layer -> layout.Slot(0, layer))

        LayerForms.chain Unchecked.defaultof<IHostLayer> slots (HostLayers.create address)
        |> Array.concat

    static let alone (layout: BlockLayout) = { Before = []; Actor = layout }

    /// A policy of networks in a row.
    static let join (before: PolicyNetwork list) (layout: BlockLayout) (parameters: ReadOnlySpan<float32>) maxAction version : Policy =
        let chain = {
            Before = before |> List.map (fun network -> network.Layout, network.Head)
            Actor = layout
        }

        for first, second in List.pairwise chain.Layouts do
            if first.Outputs <> second.Inputs then
                invalidArg
                    (nameof before)
                    $"A network of the policy hands on {first.Outputs} values, and the next one reads {second.Inputs}."

        let actor = body layout parameters

        let layers = [|
            match chain.Input with
            | RowShape.Image image -> HostImages image :> IHostLayer
            | RowShape.Vector _ -> ()

            for network in before do
                yield! body network.Layout (ReadOnlySpan network.Parameters)

                match network.Head with
                | ScaledTanh scale -> HostTanh(network.Layout.Outputs, scale)
                | Linear -> ()

            yield! actor
        |]

        Policy(version, chain, maxAction, [| layers |], Exploration.Off)

    let layout = chain.Actor
    let observationSize = observationSize chain.Input

    let widest =
        let widths = chain.Layouts |> Seq.collect (fun layout -> layout.Widths.ToArray())

        2 * HostTiles.Wide + (widths |> Seq.map HostTiles.padded |> Seq.max)

    member _.Version = version
    member _.ObservationSize = observationSize
    member _.ActionSize = layout.Outputs
    member _.MaxAction = maxAction
    member _.Exploration = exploration

    member _.Exploring(way: Exploration) : Policy =
        Policy(version, chain, maxAction, bodies, way)

    member this.CreateScratch() = this.CreateScratch 1

    member _.CreateScratch(rows: int) =
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1, nameof rows)
        PolicyScratch(rows, widest)

    member this.Act(observations: ReadOnlySpan<float32>, actions: Span<float32>, scratch: PolicyScratch) : unit =
        let outputs = this.ActionSize
        let rows = observations.Length / this.ObservationSize

        if
            rows = 0
            || observations.Length <> rows * this.ObservationSize
            || actions.Length <> rows * outputs
        then
            invalidArg
                (nameof observations)
                $"The policy maps {this.ObservationSize} values to {outputs}, or as many rows of each; it was given {observations.Length} and {actions.Length}."

        if scratch.Width < widest || scratch.Rows < rows then
            invalidArg
                (nameof scratch)
                $"The scratch was made for a smaller policy or for fewer than {rows} observations; ask this policy for another."

        let width = scratch.Width
        let mutable z = run bodies[0] observationSize observations rows scratch

        if bodies.Length > 1 then
            // kept + (learning - frozen), in the engine's order.
            let kept = scratch.Sum
            z.AsSpan(0, rows * width).CopyTo(kept.AsSpan())
            // The learning body's outputs wait in the caller's memory.
            let learning = run bodies[1] observationSize observations rows scratch

            for row in 0 .. rows - 1 do
                learning.AsSpan(row * width, outputs).CopyTo(actions.Slice(row * outputs))

            let frozen = run bodies[2] observationSize observations rows scratch

            for row in 0 .. rows - 1 do
                for i in 0 .. outputs - 1 do
                    let at = row * width + i
                    kept[at] <- kept[at] + (actions[row * outputs + i] - frozen[at])

            z <- kept

        for row in 0 .. rows - 1 do
            for i in 0 .. outputs - 1 do
                actions[row * outputs + i] <- maxAction * MathF.Tanh z[row * width + i]

    member this.Explore
        (
            observation: ReadOnlySpan<float32>,
            action: Span<float32>,
            low: ReadOnlySpan<float32>,
            high: ReadOnlySpan<float32>,
            draws: Draws,
            scratch: PolicyScratch
        ) : unit =
        this.Act(observation, action, scratch)

        match exploration with
        | Exploration.Off -> ()
        | Exploration.Gaussian deviation ->
            let noise = scratch.Sum.AsSpan(0, this.ActionSize)
            draws.FillNormal(noise, deviation)

            for i in 0 .. action.Length - 1 do
                action[i] <- action[i] + high[i] * noise[i]

        for i in 0 .. action.Length - 1 do
            action[i] <- Math.Clamp(action[i], low[i], high[i])

    static member OfBlock(layout: BlockLayout, parameters: ReadOnlySpan<float32>, maxAction: float32, version: int64) : Policy =
        join [] layout parameters maxAction version

    static member OfNetworks
        (before: PolicyNetwork list, layout: BlockLayout, parameters: float32[], maxAction: float32, version: int64)
        : Policy =
        join before layout (ReadOnlySpan parameters) maxAction version

    static member OfBodies
        (layout: BlockLayout, kept: float32[], learning: float32[], frozen: float32[], maxAction: float32, version: int64)
        : Policy =
        Policy(
            version,
            alone layout,
            maxAction,
            [| kept; learning; frozen |]
            |> Array.map (fun values -> body layout (ReadOnlySpan values)),
            Exploration.Off
        )

    member _.ToBytes() : byte[] =
        use stream = new MemoryStream()
        use writer = new BinaryWriter(stream)

        PolicyForms.write writer {
            Networks =
                [ for network, head in chain.Before -> network.Form, head ]
                @ [ layout.Form, Linear ]
            Bodies = bodies.Length
        }

        writer.Write maxAction
        writer.Write version

        for layer in Seq.concat bodies do
            layer.Parameters |> Seq.iter writer.Write

        stream.ToArray()

    static member OfBytes(bytes: ReadOnlySpan<byte>) : Policy =
        let data = bytes.ToArray()
        use reader = new BinaryReader(new MemoryStream(data))
        let refuse problem = raise (InvalidDataException problem)

        try
            let shape = PolicyForms.read reader
            let maxAction = reader.ReadSingle()
            let version = reader.ReadInt64()
            let start = int reader.BaseStream.Position
            let found = int64 (data.Length - start)

            let expected =
                4L
                * int64 shape.Bodies
                * List.sumBy (fun ((form: NetworkForm), _) -> form.ParameterCount) shape.Networks

            if found <> expected then
                let widths = shape.Networks |> List.collect (fun (form, _) -> form.Widths)
                refuse $"A policy of widths %A{widths} has {expected} bytes of parameters; {found} were found."

            let networks =
                shape.Networks
                |> List.map (fun (form, head) -> BlockLayout.OfForm(1, form), head)

            let parametersOf (layout: BlockLayout) =
                let values = Array.zeroCreate<float32> layout.ParameterCount
                reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(Span values))
                values

            match networks with
            | [ layout, _ ] when shape.Bodies > 1 ->
                let all = Array.init shape.Bodies (fun _ -> parametersOf layout)
                Policy.OfBodies(layout, all[0], all[1], all[2], maxAction, version)
            | networks ->
                let all =
                    networks
                    |> List.map (fun (layout, head) -> {
                        Layout = layout
                        Parameters = parametersOf layout
                        Head = head
                    })

                let actor = List.last all
                Policy.OfNetworks(List.truncate (all.Length - 1) all, actor.Layout, actor.Parameters, maxAction, version)
        with
        | :? EndOfStreamException -> refuse "The policy's bytes end early."
        | :? ArgumentException as problem -> refuse $"The policy is damaged. {problem.Message}"
