using NE.Model.Networks;

namespace NE.Actors.Fleet.Environments;

/// <summary>The newest policies of one run, put together from their parts. Parts come in order, unless one was lost.</summary>
internal sealed class PolicyShelf
{
    /// <summary>Environments that are a round behind act with the one before.</summary>
    private const int Kept = 2;

    private readonly List<(long Version, Policy Policy)> policies = [];
    private readonly List<byte[]> parts = [];
    private byte[] whole = [];
    private long version;

    public Policy? Find(long wanted) => this.policies.Find(known => known.Version == wanted).Policy;

    private ReadOnlySpan<byte> Whole()
    {
        var length = this.parts.Sum(bytes => bytes.Length);
        if (this.whole.Length < length)
        {
            this.whole = new byte[length];
        }
        var at = 0;
        foreach (var bytes in this.parts)
        {
            bytes.CopyTo(this.whole, at);
            at += bytes.Length;
        }
        return this.whole.AsSpan(0, length);
    }

    public void Add(PolicyPart part)
    {
        if (part.Part == 0)
        {
            this.version = part.Version;
            this.parts.Clear();
        }
        if (part.Version != this.version || part.Part != this.parts.Count)
        {
            return;
        }
        this.parts.Add(part.Bytes);
        if (this.parts.Count == part.Parts)
        {
            this.policies.RemoveAll(known => known.Version == part.Version);
            this.policies.Add((part.Version, Policy.OfBytes(this.Whole()).Exploring(part.Exploration)));
            if (this.policies.Count > Kept)
            {
                this.policies.RemoveAt(0);
            }
            this.parts.Clear();
        }
    }
}
