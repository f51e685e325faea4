namespace NE.Actors.Video;

/// <summary>
/// PNG's filters for rows of RGB: each row is stored as differences from its neighbours, by the filter whose differences are smallest in
/// sum (the heuristic that the PNG specification recommends). Average is left out: it hardly ever wins on drawn pictures.
/// </summary>
internal sealed class PngFilter(int width)
{
    private const int Pixel = 3;

    private static readonly (byte Number, Func<byte, byte, byte, byte> Predict)[] filters =
    [
        (1, static (left, _, _) => left),
        (2, static (_, up, _) => up),
        (4, Paeth),
    ];

    private readonly byte[][] candidates = [.. filters.Select(_ => new byte[1 + (Pixel * width)])];

    /// <summary>The filter's number and the row's differences; valid until the next call.</summary>
    /// <param name="row">Bytes of a row, at most 3 x width.</param>
    /// <param name="above">The row before; empty for the first.</param>
    public ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> row, ReadOnlySpan<byte> above)
    {
        var (best, least) = (0, long.MaxValue);
        for (var f = 0; f < filters.Length; f++)
        {
            var (number, predict) = filters[f];
            var target = this.candidates[f];
            target[0] = number;
            long sum = 0;
            for (var i = 0; i < row.Length; i++)
            {
                var left = i < Pixel ? (byte)0 : row[i - Pixel];
                var up = above.IsEmpty ? (byte)0 : above[i];
                var corner = i < Pixel || above.IsEmpty ? (byte)0 : above[i - Pixel];
                var difference = (byte)(row[i] - predict(left, up, corner));
                target[1 + i] = difference;
                sum += Math.Abs((int)(sbyte)difference);
            }

            if (sum < least)
            {
                (best, least) = (f, sum);
            }
        }

        return this.candidates[best].AsSpan(0, 1 + row.Length);
    }

    /// <summary>The neighbour that is nearest to left + up - corner.</summary>
    private static byte Paeth(byte left, byte up, byte corner)
    {
        var (toLeft, toUp, toCorner) = (Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - (2 * corner)));
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
