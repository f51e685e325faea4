namespace NE.Model.Networks.Layers

/// Lines of an image, rows or columns of pixels, whose gradient comes through the same lines of the filters: First, First + stride ...
[<Struct>]
type internal Lines = {
    First: int
    Count: int
    /// Lines of a filter that see them, 0 to 2.
    Through: int list
}

/// What of an image sees which of its filters' pixels: at the edges fewer of them than inside.
[<RequireQualifiedAccess>]
module internal ConvReach =
    /// The lines in one direction of an image with so many lines, of a convolution with so many places.
    let lines (size: int) (places: int) (stride: int) : Lines[] =
        let through line =
            List.init ConvForm.Kernel id
            |> List.filter (fun k -> line >= k && (line - k) % stride = 0 && (line - k) / stride < places)

        [|
            for residue in 0 .. stride - 1 do
                let mutable line = residue

                while line < size do
                    let seen = through line
                    let first = line

                    while line < size && through line = seen do
                        line <- line + stride

                    {
                        First = first
                        Count = (line - first) / stride
                        Through = seen
                    }
        |]
