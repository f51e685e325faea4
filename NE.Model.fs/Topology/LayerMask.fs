namespace NE.Model.Topology

open System
open NE.Model

type LayerMask = {
    rows: int
    columns: int
    active: bool[]
    count: int
} with

    member mask.Rows = mask.rows
    member mask.Columns = mask.columns
    member mask.Size = mask.active.Length
    member mask.ActiveCount = mask.count
    member mask.Density = float mask.count / float mask.active.Length
    member mask.IsDense = mask.count = mask.active.Length

    member mask.Item
        with get (index: int) = mask.active[index]

    member mask.Active = ReadOnlySpan<bool> mask.active

    member mask.CopyTo(destination: Span<float32>) =
        for index in 0 .. mask.active.Length - 1 do
            destination[index] <- if mask.active[index] then 1.0f else 0.0f

[<RequireQualifiedAccess>]
module LayerMask =

    let size rows columns =
        if rows <= 0 || columns <= 0 then
            invalidArg (nameof rows) $"A layer needs at least one output and one input, but its shape is {rows} x {columns}."

        Checked.(*) rows columns

    let checkCount active size =
        if active < 0 || active > size then
            invalidArg (nameof active) $"A layer of {size} weights cannot have {active} active ones."

    let ofActive (rows: int) (columns: int) (active: bool[]) : LayerMask =
        if active.Length <> size rows columns then
            invalidArg (nameof active) $"A mask of {rows} x {columns} has {rows * columns} entries, but {active.Length} were given."

        {
            rows = rows
            columns = columns
            active = Array.copy active
            count = active |> Array.sumBy (fun entry -> if entry then 1 else 0)
        }

    let ofIndices rows columns (indices: ReadOnlySpan<int>) =
        let active = Array.zeroCreate (size rows columns)

        for index in indices do
            active[index] <- true

        {
            rows = rows
            columns = columns
            active = active
            count = indices.Length
        }

    let dense (rows: int) (columns: int) : LayerMask = {
        rows = rows
        columns = columns
        active = Array.create (size rows columns) true
        count = rows * columns
    }

    let random (rows: int) (columns: int) (active: int) (draws: Draws) : LayerMask =
        let size = size rows columns
        checkCount active size
        let order = Array.init size id
        draws.ShufflePrefix(order, active)
        ofIndices rows columns (ReadOnlySpan(order, 0, active))

    let magnitude (rows: int) (columns: int) (active: int) (weights: float32[]) : LayerMask =
        let size = size rows columns
        checkCount active size

        if weights.Length <> size then
            invalidArg (nameof weights) $"A layer of {rows} x {columns} has {size} weights, but {weights.Length} were given."

        // Ascending keys: magnitude bits reversed in the upper half, the index in the lower one.
        let keys =
            weights
            |> Array.mapi (fun index weight ->
                let bits = BitConverter.SingleToUInt32Bits weight &&& 0x7FFFFFFFu
                (uint64 (0x7FFFFFFFu - bits) <<< 32) ||| uint64 index)

        Array.Sort keys
        let order = Array.init active (fun rank -> int (keys[rank] &&& 0xFFFFFFFFUL))
        ofIndices rows columns (ReadOnlySpan(order, 0, active))

    let fanIn (mask: LayerMask) : int[] =
        Array.init mask.rows (fun row -> MemoryExtensions.Count(ReadOnlySpan(mask.active, row * mask.columns, mask.columns), true))

    let indicesOf state count (mask: LayerMask) =
        let found = Array.zeroCreate count
        let mutable next = 0

        for index in 0 .. mask.active.Length - 1 do
            if mask.active[index] = state then
                found[next] <- index
                next <- next + 1

        found

    let activeIndices (mask: LayerMask) : int[] = indicesOf true mask.count mask

    let inactiveIndices (mask: LayerMask) : int[] =
        indicesOf false (mask.active.Length - mask.count) mask

    let apply (grown: int[]) (pruned: int[]) (mask: LayerMask) : LayerMask =
        let change () =
            let active = Array.copy mask.active

            for index in grown do
                if active[index] then
                    invalidArg (nameof grown) $"Weight {index} cannot grow: it exists already."

                active[index] <- true

            for index in pruned do
                if not mask.active[index] || not active[index] then
                    invalidArg (nameof pruned) $"Weight {index} cannot be pruned: it did not exist before the event."

                active[index] <- false

            {
                mask with
                    active = active
                    count = mask.count + grown.Length - pruned.Length
            }

        if grown.Length = 0 && pruned.Length = 0 then
            mask
        else
            change ()

    let toBits (mask: LayerMask) : byte[] =
        let bits = Array.zeroCreate ((mask.active.Length + 7) / 8)

        for index in 0 .. mask.active.Length - 1 do
            if mask.active[index] then
                bits[index >>> 3] <- bits[index >>> 3] ||| (1uy <<< (index &&& 7))

        bits

    let ofBits (rows: int) (columns: int) (bits: byte[]) : Result<LayerMask, string> =
        let size = size rows columns
        let expected = (size + 7) / 8

        if bits.Length <> expected then
            Error $"A mask of {rows} x {columns} takes {expected} bytes, but {bits.Length} were found."
        elif size % 8 <> 0 && bits[expected - 1] >>> (size % 8) <> 0uy then
            Error $"The mask of {rows} x {columns} has bits set past its {size} entries: the bytes are damaged or of another shape."
        else
            Ok(ofActive rows columns (Array.init size (fun index -> (bits[index >>> 3] >>> (index &&& 7)) &&& 1uy = 1uy)))
