namespace NE.Model.Topology

open System
open NE.Model

/// The topology M of one linear layer: which of its (rows = outputs) x (columns = inputs) weights exist. An immutable value with
/// structural equality. Entry (row, column) has the index row * Columns + column everywhere. Biases are never masked.
type LayerMask = private {
    rows: int
    columns: int
    active: bool[]
    count: int
} with

    /// Number of output neurons n_l.
    member mask.Rows = mask.rows
    /// Number of inputs n_{l-1}, the full fan-in.
    member mask.Columns = mask.columns
    /// N_l = rows * columns.
    member mask.Size = mask.active.Length
    /// |M_l|, the number of weights that exist.
    member mask.ActiveCount = mask.count
    /// |M_l| / N_l.
    member mask.Density = float mask.count / float mask.active.Length
    /// Whether every weight exists.
    member mask.IsDense = mask.count = mask.active.Length

    /// Whether the weight with this row-major index exists.
    member mask.Item
        with get (index: int) = mask.active[index]

    /// All entries in row-major order.
    member mask.Active = ReadOnlySpan<bool> mask.active

    /// Writes 1 for every weight that exists and 0 for every other one.
    member mask.CopyTo(destination: Span<float32>) =
        for index in 0 .. mask.active.Length - 1 do
            destination[index] <- if mask.active[index] then 1.0f else 0.0f

[<RequireQualifiedAccess>]
module LayerMask =

    let private size rows columns =
        if rows <= 0 || columns <= 0 then
            invalidArg (nameof rows) $"A layer needs at least one output and one input, but its shape is {rows} x {columns}."

        Checked.(*) rows columns

    let private checkCount active size =
        if active < 0 || active > size then
            invalidArg (nameof active) $"A layer of {size} weights cannot have {active} active ones."

    /// A mask from its row-major entries (copied); their number must be rows * columns.
    let ofActive (rows: int) (columns: int) (active: bool[]) : LayerMask =
        if active.Length <> size rows columns then
            invalidArg (nameof active) $"A mask of {rows} x {columns} has {rows * columns} entries, but {active.Length} were given."

        {
            rows = rows
            columns = columns
            active = Array.copy active
            count = active |> Array.sumBy (fun entry -> if entry then 1 else 0)
        }

    let private ofIndices rows columns (indices: ReadOnlySpan<int>) =
        let active = Array.zeroCreate (size rows columns)

        for index in indices do
            active[index] <- true

        {
            rows = rows
            columns = columns
            active = active
            count = indices.Length
        }

    /// Every weight exists.
    let dense (rows: int) (columns: int) : LayerMask = {
        rows = rows
        columns = columns
        active = Array.create (size rows columns) true
        count = rows * columns
    }

    /// A uniformly random subset of `active` weights (algorithm.md 2.4, the paper's initial topology).
    let random (rows: int) (columns: int) (active: int) (draws: Draws) : LayerMask =
        let size = size rows columns
        checkCount active size
        let order = Array.init size id
        draws.ShufflePrefix(order, active)
        ofIndices rows columns (ReadOnlySpan(order, 0, active))

    /// The `active` weights of largest magnitude, the lower index first among equals (what RLx2 and the official code start from).
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

    /// Number of existing incoming weights of every output neuron: Rows values.
    let fanIn (mask: LayerMask) : int[] =
        Array.init mask.rows (fun row -> MemoryExtensions.Count(ReadOnlySpan(mask.active, row * mask.columns, mask.columns), true))

    let private indicesOf state count (mask: LayerMask) =
        let found = Array.zeroCreate count
        let mutable next = 0

        for index in 0 .. mask.active.Length - 1 do
            if mask.active[index] = state then
                found[next] <- index
                next <- next + 1

        found

    /// Indices of the weights that exist, ascending.
    let activeIndices (mask: LayerMask) : int[] = indicesOf true mask.count mask

    /// Indices of the weights that do not exist, ascending.
    let inactiveIndices (mask: LayerMask) : int[] =
        indicesOf false (mask.active.Length - mask.count) mask

    /// M' = (M or grown) and not pruned. Grown weights must not exist yet, pruned ones must: anything else means that the change
    /// belongs to another topology, and raises.
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

    /// Eight entries per byte, the first in the lowest bit; unused bits of the last byte are 0.
    let toBits (mask: LayerMask) : byte[] =
        let bits = Array.zeroCreate ((mask.active.Length + 7) / 8)

        for index in 0 .. mask.active.Length - 1 do
            if mask.active[index] then
                bits[index >>> 3] <- bits[index >>> 3] ||| (1uy <<< (index &&& 7))

        bits

    /// The mask that `toBits` packed. The number of bytes must fit the shape and the unused bits must be 0.
    let ofBits (rows: int) (columns: int) (bits: byte[]) : Result<LayerMask, string> =
        let size = size rows columns
        let expected = (size + 7) / 8

        if bits.Length <> expected then
            Error $"A mask of {rows} x {columns} takes {expected} bytes, but {bits.Length} were found."
        elif size % 8 <> 0 && bits[expected - 1] >>> (size % 8) <> 0uy then
            Error $"The mask of {rows} x {columns} has bits set past its {size} entries: the bytes are damaged or of another shape."
        else
            Ok(ofActive rows columns (Array.init size (fun index -> (bits[index >>> 3] >>> (index &&& 7)) &&& 1uy = 1uy)))
