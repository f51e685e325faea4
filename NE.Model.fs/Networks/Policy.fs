namespace NE.Model.Networks

open System
open System.IO
open System.Runtime.InteropServices
open NE.Model
open NE.Model.Networks.Layers

[<RequireQualifiedAccess>]
type Exploration =
    | Off
    | Gaussian of deviation: float32
    | Sampling of logDeviation: LogDeviation

[<RequireQualifiedAccess>]
type ActionForm =
    | Deterministic
    | SquashedGaussian

[<Sealed>]
type PolicyScratch internal (rows: int, width: int) =
    member _.Rows = rows
    /// Floats from the values of one observation to those of the next.
    member internal _.Width = width
    member val internal A = Array.zeroCreate<float32>(rows * width)
    member val internal B = Array.zeroCreate<float32>(rows * width)
    member val internal Sum = Array.zeroCreate<float32>(rows * width)
    member val internal Held = Array.zeroCreate<float32>(rows * width)
    member val internal Read = Array.zeroCreate<float32>(rows * width)

[<Sealed>]
type Policy
    private
    (
        version: int64,
        encoder: PixelEncoder option,
        normaliser: ObservationNormaliser option,
        layout: BlockLayout,
        form: ActionForm,
        maxAction: float32,
        bodies: IHostLayer[][],
        exploration: Exploration
    ) =
    // Format 1 knows ReLU networks alone; it is still what they are written in.
    static let plainFormat = 1
    static let shapedFormat = 2
    static let injectedFormat = 3
    static let gaussianFormat = 4
    // The encoder, then a policy in one of the others.
    static let pixelFormat = 5
    // The normaliser, then a policy in one of formats 1 to 4.
    static let normalisingFormat = 6

    /// The linear outputs of a body for the rows of x; they are in x or y, which is returned.
    static let run (layers: IHostLayer[]) (x: float32[]) (scratch: PolicyScratch) (rows: int) =
        let y =
            if obj.ReferenceEquals(x, scratch.A) then
                scratch.B
            else
                scratch.A

        HostChain.run layers x y scratch.Width rows

    static let outputsPerComponent form =
        match form with
        | ActionForm.Deterministic -> 1
        | ActionForm.SquashedGaussian -> SquashedGaussian.OutputsPerComponent

    static let body (layout: BlockLayout) parameters = HostChain.create layout parameters

    let widest =
        let ofHead = HostChain.width (layout.Widths.ToArray())

        match encoder with
        | Some encoder -> max encoder.Width ofHead
        | None -> ofHead

    let observationSize =
        match encoder with
        | Some encoder -> encoder.ObservationSize
        | None -> layout.Inputs

    let perComponent = outputsPerComponent form
    let actionSize = layout.Outputs / perComponent

    let require (observations: ReadOnlySpan<float32>) (actions: Span<float32>) (scratch: PolicyScratch) =
        let rows = observations.Length / observationSize

        if
            rows = 0
            || observations.Length <> rows * observationSize
            || actions.Length <> rows * actionSize
        then
            invalidArg
                (nameof observations)
                $"The policy maps {observationSize} values to {actionSize}, or as many rows of each; it was given {observations.Length} and {actions.Length}."

        if scratch.Width < widest || scratch.Rows < rows then
            invalidArg
                (nameof scratch)
                $"The scratch was made for a smaller policy or for fewer than {rows} observations; ask this policy for another."

    /// What the bodies read, in one of the scratch's arrays, which is returned.
    let inputs (observations: ReadOnlySpan<float32>) (rows: int) (scratch: PolicyScratch) =
        let x = scratch.A

        for row in 0 .. rows - 1 do
            observations.Slice(row * observationSize, observationSize).CopyTo(x.AsSpan(row * scratch.Width))

        match normaliser with
        | Some normaliser ->
            for row in 0 .. rows - 1 do
                normaliser.Apply(x.AsSpan(row * scratch.Width, observationSize))
        | None -> ()

        match encoder with
        | Some encoder -> encoder.Encode(x, scratch.B, scratch.Width, rows)
        | None -> x

    /// The network's outputs; they are in one of the scratch's arrays, which is returned.
    let outputs (observations: ReadOnlySpan<float32>) (scratch: PolicyScratch) =
        let rows, width = observations.Length / observationSize, scratch.Width
        let x = inputs observations rows scratch

        if bodies.Length = 1 then
            run bodies[0] x scratch rows
        else
            // kept + (learning - frozen), in the engine's order.
            let kept, learning, read = scratch.Sum, scratch.Held, scratch.Read
            let length = rows * width
            x.AsSpan(0, length).CopyTo(read.AsSpan())

            let outputsOf body =
                read.AsSpan(0, length).CopyTo(scratch.A.AsSpan())
                run bodies[body] scratch.A scratch rows

            (outputsOf 0).AsSpan(0, length).CopyTo(kept.AsSpan())
            (outputsOf 1).AsSpan(0, length).CopyTo(learning.AsSpan())
            let frozen = outputsOf 2

            for row in 0 .. rows - 1 do
                for at in row * width .. row * width + layout.Outputs - 1 do
                    kept[at] <- kept[at] + (learning[at] - frozen[at])

            kept

    member _.Version = version
    member _.ObservationSize = observationSize
    member _.ActionSize = actionSize
    member _.MaxAction = maxAction
    member _.Form = form
    member _.Exploration = exploration

    member _.Exploring(way: Exploration) : Policy =
        if way.IsSampling && form <> ActionForm.SquashedGaussian then
            invalidArg (nameof way) "Only a policy whose outputs are a distribution can draw from it."

        Policy(version, encoder, normaliser, layout, form, maxAction, bodies, way)

    member _.WithEncoder(given: PixelEncoder) : Policy =
        if given.Features <> layout.Inputs then
            invalidArg (nameof given) $"The policy reads {layout.Inputs} features; this encoder has {given.Features}."

        Policy(version, Some given, normaliser, layout, form, maxAction, bodies, exploration)

    member _.Normalising(given: ObservationNormaliser) : Policy =
        if encoder.IsSome || given.Size <> layout.Inputs then
            invalidArg (nameof given) $"The policy reads {layout.Inputs} numbers; {given.Size} of an observation were to be normalised."

        Policy(version, None, Some given, layout, form, maxAction, bodies, exploration)

    member _.Portable(observations: int, actions: int) : PortablePolicy =
        [ for layers in bodies -> layers |> Seq.collect _.Parameters |> Array.ofSeq ]
        |> PortablePolicy.create (encoder |> Option.map _.Portable) layout (form = ActionForm.SquashedGaussian)
        |> PortablePolicy.behind (normaliser |> Option.map _.Portable)
        |> PortablePolicy.trim observations actions

    member this.Portable() =
        this.Portable(observationSize, actionSize)

    member this.CreateScratch() = this.CreateScratch 1

    member _.CreateScratch(rows: int) =
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1, nameof rows)
        PolicyScratch(rows, widest)

    member _.Act(observations: ReadOnlySpan<float32>, actions: Span<float32>, scratch: PolicyScratch) : unit =
        require observations actions scratch
        let z = outputs observations scratch

        for row in 0 .. observations.Length / observationSize - 1 do
            for i in 0 .. actionSize - 1 do
                actions[row * actionSize + i] <- maxAction * MathF.Tanh z[row * scratch.Width + perComponent * i]

    member this.Explore
        (
            observation: ReadOnlySpan<float32>,
            action: Span<float32>,
            low: ReadOnlySpan<float32>,
            high: ReadOnlySpan<float32>,
            draws: Draws,
            scratch: PolicyScratch
        ) : unit =
        match exploration with
        | Exploration.Off -> this.Act(observation, action, scratch)
        | Exploration.Gaussian deviation ->
            this.Act(observation, action, scratch)
            let noise = scratch.Sum.AsSpan(0, actionSize)
            draws.FillNormal(noise, deviation)

            for i in 0 .. action.Length - 1 do
                action[i] <- action[i] + high[i] * noise[i]
        | Exploration.Sampling logDeviation ->
            require observation action scratch
            let z = outputs observation scratch
            draws.FillNormal(action, 1.0f)

            for i in 0 .. action.Length - 1 do
                let u = SquashedGaussian.sampleOne logDeviation z[2 * i] z[2 * i + 1] action[i]
                action[i] <- maxAction * MathF.Tanh u

        for i in 0 .. action.Length - 1 do
            action[i] <- Math.Clamp(action[i], low[i], high[i])

    static member OfBlock
        (layout: BlockLayout, parameters: ReadOnlySpan<float32>, maxAction: float32, version: int64, ?form: ActionForm)
        : Policy =
        Policy(
            version,
            None,
            None,
            layout,
            defaultArg form ActionForm.Deterministic,
            maxAction,
            [| body layout parameters |],
            Exploration.Off
        )

    static member OfBodies
        (layout: BlockLayout, kept: float32[], learning: float32[], frozen: float32[], maxAction: float32, version: int64, ?form: ActionForm) : Policy =
        Policy(
            version,
            None,
            None,
            layout,
            defaultArg form ActionForm.Deterministic,
            maxAction,
            [| kept; learning; frozen |]
            |> Array.map (fun values -> body layout (ReadOnlySpan values)),
            Exploration.Off
        )

    member _.ToBytes() : byte[] =
        // As large as it becomes, but for a little before the parameters: what grows is copied, and collected late.
        use stream = new MemoryStream(4 * layout.ParameterCount * bodies.Length + 1024)
        use writer = new BinaryWriter(stream)
        let network = layout.Form

        let widths, isConcatenated =
            network.Widths, List.contains LayerForm.Crelu network.Layers

        let normed =
            List.init layout.HiddenLayers (fun layer -> (layout.Slot(0, layer)).IsNormed)

        let activation = if isConcatenated then Activation.Crelu else Activation.Relu

        if network.Layers <> (NetworkForm.Mlp(widths, activation, normed)).Layers then
            invalidOp $"No format of policies has a place for the layers %A{network.Layers}."

        let format =
            if form = ActionForm.SquashedGaussian then
                gaussianFormat
            elif bodies.Length > 1 then
                injectedFormat
            elif isConcatenated || List.contains true normed then
                shapedFormat
            else
                plainFormat

        match encoder with
        | Some encoder ->
            writer.Write pixelFormat
            encoder.Write writer
        | None -> ()

        match normaliser with
        | Some normaliser ->
            writer.Write normalisingFormat
            normaliser.Write writer
        | None -> ()

        writer.Write format
        writer.Write widths.Length
        widths |> List.iter writer.Write

        if format <> plainFormat then
            writer.Write isConcatenated
            normed |> List.iter writer.Write

        if format = gaussianFormat then
            writer.Write(bodies.Length > 1)

        writer.Write maxAction
        writer.Write version

        for layer in Seq.concat bodies do
            writer.Write(MemoryMarshal.AsBytes(ReadOnlySpan layer.Parameters))

        stream.ToArray()

    static member OfBytes(bytes: ReadOnlySpan<byte>) : Policy =
        let data = bytes.ToArray()
        use reader = new BinaryReader(new MemoryStream(data))
        let refuse problem = raise (InvalidDataException problem)

        let flag name =
            match reader.ReadByte() with
            | 0uy -> false
            | 1uy -> true
            | other -> refuse $"The policy claims {other} for {name}; 0 or 1 was expected."

        try
            let outermost = reader.ReadInt32()

            let encoder =
                if outermost = pixelFormat then
                    Some(PixelEncoder.Read reader)
                else
                    None

            let normaliser =
                if outermost = normalisingFormat then
                    Some(ObservationNormaliser.Read reader)
                else
                    None

            let format =
                if encoder.IsSome || normaliser.IsSome then
                    reader.ReadInt32()
                else
                    outermost

            if format < plainFormat || format > gaussianFormat then
                refuse $"The policy has format {format}; this program reads formats {plainFormat} to {normalisingFormat}."

            let count = reader.ReadInt32()

            if count < 2 || count > 64 then
                refuse $"The policy claims {count} layer widths."

            let widths = List.init count (fun _ -> reader.ReadInt32())

            if widths |> List.exists (fun width -> width < 1 || width > 1_000_000) then
                refuse $"The policy claims the layer widths %A{widths}."

            let activation, normed =
                if format = plainFormat then
                    Activation.Relu, List.replicate (count - 2) false
                else
                    let isConcatenated = flag "CReLU"
                    (if isConcatenated then Activation.Crelu else Activation.Relu), List.init (count - 2) (fun _ -> flag "a LayerNorm")

            let isInjected =
                format = injectedFormat
                || format = gaussianFormat && flag "the bodies of an injection"

            let bodies = if isInjected then 3 else 1

            let form =
                if format = gaussianFormat then
                    ActionForm.SquashedGaussian
                else
                    ActionForm.Deterministic

            if List.last widths % outputsPerComponent form <> 0 then
                refuse $"The policy claims {List.last widths} outputs; pairs of them were expected."

            let network =
                try
                    NetworkForm.Mlp(widths, activation, normed)
                with :? ArgumentException as problem ->
                    refuse $"The policy is damaged. {problem.Message}"

            let maxAction = reader.ReadSingle()
            let version = reader.ReadInt64()

            let start = int reader.BaseStream.Position
            let found = int64 (data.Length - start)

            let expected = 4L * network.ParameterCount * int64 bodies

            if found <> expected then
                refuse $"A policy of widths %A{widths} has {expected} bytes of parameters; {found} were found."

            let layout = BlockLayout.OfForm(1, network)
            let bytes = 4 * layout.ParameterCount

            let read i =
                body layout (MemoryMarshal.Cast<byte, float32>(ReadOnlySpan(data, start + i * bytes, bytes)))

            let head =
                Policy(version, None, None, layout, form, maxAction, Array.init bodies read, Exploration.Off)

            match normaliser with
            | Some normaliser when normaliser.Size <> layout.Inputs ->
                refuse $"The policy's normaliser has {normaliser.Size} components where it reads {layout.Inputs}."
            | _ -> ()

            match encoder with
            | None ->
                normaliser
                |> Option.fold (fun (head: Policy) given -> head.Normalising given) head
            | Some encoder when encoder.Features = layout.Inputs -> head.WithEncoder encoder
            | Some encoder -> refuse $"The policy's encoder has {encoder.Features} features where it reads {layout.Inputs}."
        with :? EndOfStreamException ->
            refuse "The policy's bytes end early."
