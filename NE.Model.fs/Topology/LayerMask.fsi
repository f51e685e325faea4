namespace NE.Model.Topology

open System
open NE.Model

/// The topology M of one linear layer: which of its (rows = outputs) x (columns = inputs) weights exist. An immutable value with
/// structural equality. Entry (row, column) has the index row * Columns + column everywhere. Biases are never masked.
[<Sealed>]
type LayerMask =
    interface IEquatable<LayerMask>
    /// Number of output neurons n_l.
    member Rows: int
    /// Number of inputs n_{l-1}, the full fan-in.
    member Columns: int
    /// N_l = rows * columns.
    member Size: int
    /// |M_l|, the number of weights that exist.
    member ActiveCount: int
    /// |M_l| / N_l.
    member Density: float
    /// Whether every weight exists.
    member IsDense: bool
    /// Whether the weight with this row-major index exists.
    member Item: index: int -> bool with get
    /// All entries in row-major order.
    member Active: ReadOnlySpan<bool>
    /// Writes 1 for every weight that exists and 0 for every other one.
    member CopyTo: destination: Span<float32> -> unit

/// Masks made, read, changed and stored. A shape or a number of entries that cannot be raises ArgumentException.
[<RequireQualifiedAccess>]
module LayerMask =

    /// A mask from its row-major entries (copied); their number must be rows * columns.
    val ofActive: rows: int -> columns: int -> active: bool[] -> LayerMask

    /// Every weight exists.
    val dense: rows: int -> columns: int -> LayerMask

    /// A uniformly random subset of `active` weights (algorithm.md 2.4, the paper's initial topology).
    val random: rows: int -> columns: int -> active: int -> draws: Draws -> LayerMask

    /// The `active` weights of largest magnitude, the lower index first among equals (what RLx2 and the official code start from).
    val magnitude: rows: int -> columns: int -> active: int -> weights: float32[] -> LayerMask

    /// Number of existing incoming weights of every output neuron: Rows values.
    val fanIn: mask: LayerMask -> int[]

    /// Indices of the weights that exist, ascending.
    val activeIndices: mask: LayerMask -> int[]

    /// Indices of the weights that do not exist, ascending.
    val inactiveIndices: mask: LayerMask -> int[]

    /// M' = (M or grown) and not pruned. Grown weights must not exist yet, pruned ones must: anything else means that the change
    /// belongs to another topology, and raises.
    val apply: grown: int[] -> pruned: int[] -> mask: LayerMask -> LayerMask

    /// Eight entries per byte, the first in the lowest bit; unused bits of the last byte are 0.
    val toBits: mask: LayerMask -> byte[]

    /// The mask that `toBits` packed. The number of bytes must fit the shape and the unused bits must be 0.
    val ofBits: rows: int -> columns: int -> bits: byte[] -> Result<LayerMask, string>
