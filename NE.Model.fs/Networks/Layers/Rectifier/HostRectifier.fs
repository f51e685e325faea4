namespace NE.Model.Networks.Layers

open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// ReLU, or CReLU if it hands on both signs, of a policy.
[<Sealed>]
type internal HostRectifier(columns: int, before: IHostLayer, hasBothSigns: bool) =
    let gains, shifts = before.Gains, before.Shifts

    interface IHostLayer with
        member _.Gains = [||]
        member _.Shifts = [||]
        member _.TryRectify() = false
        member _.IsInPlace = true

        member _.Forward(x, _, stride, rows) =
            // The address of an empty array is null.
            use gains = fixed gains
            use shifts = fixed shifts

            let z: Strided = {
                Memory = x
                Rows = rows
                Columns = columns
                Stride = stride
            }

            let features = {
                z with
                    Columns = if hasBothSigns then 2 * columns else columns
            }

            RectifierKernels.activate z gains shifts features 0 rows

        member _.Parameters = [||]
