namespace NE.Actors.MuJoCo;

/// <summary>Whether words of memory that a layout takes for pointers are: MuJoCo allocates the arrays of a structure at once.</summary>
internal static class OneBlock
{
    private const long Most = 64L << 20;

    /// <summary>Whether these can be pointers into one allocation, and so may be followed.</summary>
    internal static bool Holds(IReadOnlyCollection<nint> pointers) =>
        pointers.All(pointer => pointer > 0 && pointer % sizeof(double) == 0) && pointers.Max() - pointers.Min() < Most;
}
