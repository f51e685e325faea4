namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks

/// Clipped Gaussian noise on the actions of a batch.
[<Sealed>]
type ActionNoise(engine: IEngine, rows: int, components: int, maxAction: float32) =
    let noise = engine.CreateMatrix(rows, components)
    let host = Array.zeroCreate<float32>(rows * components)

    /// a = clip(a + clip(eps, -bound, bound), -a_max, a_max),  eps ~ N(0, deviation^2). Components from `live` on, which the task does not have,
    /// stay what they are. Drawn and clipped on the host, so that a device has one thing less to do.
    member _.Perturb(actions: IMatrix, deviation: float32, bound: float32, live: int, draws: Draws) : unit =
        draws.FillNormal(Span host, deviation)

        if live < components then
            for row in 0 .. rows - 1 do
                Array.fill host (row * components + live) (components - live) 0.0f

        for i in 0 .. host.Length - 1 do
            host[i] <- MathF.Max(-bound, MathF.Min(bound, host[i]))

        noise.Write(ReadOnlySpan host)
        engine.Add(actions, 1.0f, noise)
        engine.Clamp(actions, maxAction)

    interface IDisposable with
        member _.Dispose() = noise.Dispose()
