using System.Buffers.Binary;
using NE.EnvironmentClient;

namespace NE.EnvironmentExample;

/// <summary>A point mass on a plane that is pushed to the origin. Observation: x, y [m], their velocities [m/s]. Action: force in x and y [N], from -1 to
/// 1. Reward: minus the distance from the origin. The episode ends 5 m away from it, and is cut off after 100 steps.</summary>
internal sealed class PointMass : IStoredEnvironment, IRenderedEnvironment
{
    private const double Step = 0.05;
    private const double Farthest = 5;

    private readonly double[] position = new double[2];
    private readonly double[] velocity = new double[2];

    public ServedSchema Schema { get; } = new(
        "PointMass",
        [-5, -5, float.NegativeInfinity, float.NegativeInfinity],
        [5, 5, float.PositiveInfinity, float.PositiveInfinity],
        [-1, -1],
        [1, 1],
        TimeLimit: 100);

    public void Reset(ulong seed, Span<float> observation)
    {
        var random = new Random(unchecked((int)(seed ^ (seed >> 32))));
        for (var i = 0; i < 2; i++)
        {
            this.position[i] = 4 * random.NextDouble() - 2;
            this.velocity[i] = 0;
        }

        this.Observe(observation);
    }

    ServedStep IServedEnvironment.Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        for (var i = 0; i < 2; i++)
        {
            this.velocity[i] += Step * Math.Clamp(action[i], -1, 1);
            this.position[i] += Step * this.velocity[i];
        }

        this.Observe(observation);
        var distance = Math.Sqrt(this.position[0] * this.position[0] + this.position[1] * this.position[1]);
        return new ServedStep(-distance, Terminated: distance > Farthest, Truncated: false);
    }

    public byte[] SaveState()
    {
        var bytes = new byte[4 * sizeof(double)];
        for (var i = 0; i < 2; i++)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8 * i), this.position[i]);
            BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(16 + 8 * i), this.velocity[i]);
        }

        return bytes;
    }

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation)
    {
        for (var i = 0; i < 2; i++)
        {
            this.position[i] = BinaryPrimitives.ReadDoubleLittleEndian(state[(8 * i)..]);
            this.velocity[i] = BinaryPrimitives.ReadDoubleLittleEndian(state[(16 + 8 * i)..]);
        }

        this.Observe(observation);
    }

    public byte[] Render(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        var x = Math.Clamp((int)((this.position[0] / (2 * Farthest) + 0.5) * width), 0, width - 1);
        var y = Math.Clamp((int)((0.5 - this.position[1] / (2 * Farthest)) * height), 0, height - 1);
        pixels.AsSpan(3 * (y * width + x), 3).Fill(255);
        return pixels;
    }

    private void Observe(Span<float> observation)
    {
        for (var i = 0; i < 2; i++)
        {
            observation[i] = (float)this.position[i];
            observation[2 + i] = (float)this.velocity[i];
        }
    }
}
