namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// A panel of a layer: what one lane computes and updates alone.
[<Struct>]
type internal Share = {
    Slot: PanelSlot
    Panel: Panel
} with

    /// Floats of the panel's weights.
    member this.Size =
        if this.Slot.IsRow then
            PanelLayout.Padded this.Slot.Slot.Inputs
        else
            this.Slot.Slot.Inputs * this.Panel.Width

/// Adam, panel by panel.
///
/// The step is bound by memory: eight arrays are read and five written. Four of them are constant over a whole panel for most of a run
/// (the mask of a dense layer, the bound, and the powers of beta once they have been flushed to 0), and a constant array is replaced by
/// one vector. The results are the same bits.
[<Sealed>]
type internal PanelAdam(fields: AlignedMemory[], shares: Share[]) =
    let vector = 16
    // Of every share: one vector each for the first powers, the second powers, the mask and the bound.
    let constants = new AlignedMemory(shares.Length * 4 * vector)
    let ages = [| Field.Beta1Powers; Field.Beta2Powers |]
    let replaceable = [| Field.Beta1Powers; Field.Beta2Powers; Field.Mask; Field.Bound |]

    /// Per replaceable field and share, whether the vector stands for the array.
    let isConstant =
        replaceable |> Array.map (fun _ -> Array.create shares.Length false)

    let steps = Array.zeroCreate<int> shares.Length
    let place field = Array.IndexOf(replaceable, field)

    let at (field: Field) offset =
        NativePtr.add fields[int field].Address offset

    let memoryOf (i: int) : AdamMemory =
        let offset = shares[i].Panel.Weights

        let choose field =
            let k = place field

            if isConstant[k].[i] then
                struct (NativePtr.add constants.Address ((4 * i + k) * vector), 0)
            else
                struct (at field offset, -1)

        let struct (beta1, walk1) = choose Field.Beta1Powers
        let struct (beta2, walk2) = choose Field.Beta2Powers
        let struct (mask, walkMask) = choose Field.Mask
        let struct (bound, walkBound) = choose Field.Bound

        {
            Weights = at Field.Weights offset
            Gradients = at Field.Gradients offset
            FirstMoments = at Field.FirstMoments offset
            SecondMoments = at Field.SecondMoments offset
            Beta1Powers = beta1
            Beta2Powers = beta2
            Mask = mask
            Bound = bound
            Length = shares[i].Size
            Walk = {
                Beta1Powers = walk1
                Beta2Powers = walk2
                Mask = walkMask
                Bound = walkBound
            }
        }

    let memories = Array.init shares.Length memoryOf

    let setConstant field i (value: float32) =
        let k = place field
        constants.Span.Slice((4 * i + k) * vector, vector).Fill value
        isConstant[k].[i] <- true

    let span (field: Field) i =
        fields[int field].Span.Slice(shares[i].Panel.Weights, shares[i].Size)

    /// Looks now and then whether all powers of a panel are 0, as they are for ever after.
    let settle i =
        if steps[i] % 32 = 0 then
            for field in ages do
                if not (isConstant[place field].[i]) && not ((span field i).ContainsAnyExcept 0.0f) then
                    setConstant field i 0.0f
                    memories[i] <- memoryOf i

        steps[i] <- steps[i] + 1

    /// A run of parameters outside the panels.
    let plain offset length : AdamMemory = {
        Weights = at Field.Weights offset
        Gradients = at Field.Gradients offset
        FirstMoments = at Field.FirstMoments offset
        SecondMoments = at Field.SecondMoments offset
        Beta1Powers = at Field.Beta1Powers offset
        Beta2Powers = at Field.Beta2Powers offset
        Mask = at Field.Mask offset
        Bound = at Field.Bound offset
        Length = length
        Walk = AdamWalk.Whole
    }

    /// One step of a panel's weights and of its neurons' other parameters.
    member _.Step(i: int, options: AdamOptions) =
        let share = shares[i]
        settle i
        adam memories[i] options
        let first, count = share.Panel.Output, PanelLayout.Padded share.Panel.Width

        for place in share.Slot.PerNeuron do
            adam (plain (place + first) count) options

    /// One step of parameters outside the panels.
    member _.StepPlain(offset: int, length: int, options: AdamOptions) = adam (plain offset length) options

    /// The host has written a field in the block layout's order: is it constant over a panel?
    member _.Written(field: Field, host: ReadOnlySpan<float32>) =
        let k = place field

        if k >= 0 then
            for i in 0 .. shares.Length - 1 do
                let slot, panel = shares[i].Slot.Slot, shares[i].Panel

                let values =
                    host.Slice(slot.Weights + panel.Output * slot.Inputs, panel.Outputs * slot.Inputs)

                isConstant[k].[i] <- false

                // A bound must hold for the padding, which is 0; a mask of ones leaves it 0. Ages are left to `settle`.
                let value = values[0]

                if
                    not (Array.contains field ages)
                    && (field = Field.Bound || value = 1.0f)
                    && not (values.ContainsAnyExcept value)
                then
                    setConstant field i value

                memories[i] <- memoryOf i

    interface IDisposable with
        member _.Dispose() = (constants :> IDisposable).Dispose()
