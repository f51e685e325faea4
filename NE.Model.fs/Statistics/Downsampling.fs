/// Fewer points of a long curve, for a picture of it.
[<RequireQualifiedAccess>]
module NE.Model.Statistics.Downsampling

open System

/// Indices of at most `most` points (4 or more) that draw the same line as all of them on a picture of most / 2 columns: the first, the last, and of every
/// stretch of equally many points between the lowest and the highest. Ascending; all indices when there are no more than `most`. A stretch without a finite
/// value keeps its first point, so that a gap stays one.
let extremes (most: int) (values: float[]) : int[] =
    if most < 4 then
        invalidArg (nameof most) $"expected 4 points or more, found {most}"

    if values.Length <= most then
        Array.init values.Length id
    else
        let inner = values.Length - 2
        let stretches = (most - 2) / 2
        let kept = ResizeArray [ 0 ]

        for stretch in 0 .. stretches - 1 do
            let first = 1 + int (int64 inner * int64 stretch / int64 stretches)
            let last = int (int64 inner * int64 (stretch + 1) / int64 stretches)
            let mutable lowest = -1
            let mutable highest = -1

            for i in first..last do
                if Double.IsFinite values[i] then
                    if lowest < 0 || values[i] < values[lowest] then
                        lowest <- i

                    if highest < 0 || values[i] > values[highest] then
                        highest <- i

            if lowest < 0 then
                kept.Add first
            else
                kept.Add(min lowest highest)

                if lowest <> highest then
                    kept.Add(max lowest highest)

        kept.Add(values.Length - 1)
        kept.ToArray()
