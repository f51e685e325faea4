namespace NE.Model

open System

type Purpose =
    | Initialisation = 1
    | Topology = 2
    | Batch = 3
    | Review = 4
    | ReviewSignal = 5
    | TargetNoise = 6
    | Exploration = 7
    | WarmUp = 8
    | Reset = 9
    | Evaluation = 10
    | Metrics = 11
    | NetworkReset = 12
    | ReDo = 13
    | PlasticityInjection = 14
    | ShrinkAndPerturb = 15
    | ContinualBackprop = 16
    | Probe = 17
    | PolicyDraws = 18
    | ImageShift = 19
    | Statistics = 1000

[<Struct>]
type DrawsState = {
    Key: uint64
    Place: uint64
    Block: uint64
    Word: int
}

[<RequireQualifiedAccess>]
module private Philox =
    [<Literal>]
    let M0 = 0xD2511F53u

    [<Literal>]
    let M1 = 0xCD9E8D57u

    [<Literal>]
    let W0 = 0x9E3779B9u

    [<Literal>]
    let W1 = 0xBB67AE85u

[<RequireQualifiedAccess>]
module private Identity =
    /// SplitMix64's finaliser, used only to spread identities over 64 bits.
    let mix (x: uint64) =
        let x = (x ^^^ (x >>> 30)) * 0xBF58476D1CE4E5B9UL
        let x = (x ^^^ (x >>> 27)) * 0x94D049BB133111EBUL
        x ^^^ (x >>> 31)

    let combine (hash: uint64) (value: int64) =
        mix (hash + 0x9E3779B97F4A7C15UL + mix (uint64 value))

    let state (seed: int64) (purpose: Purpose) (place: uint64) : DrawsState = {
        Key = combine (combine 0UL seed) (int64 purpose)
        Place = place
        Block = 0UL
        Word = 0
    }

[<Sealed>]
type Draws(state: DrawsState) =
    let key = state.Key
    let place = state.Place
    let mutable block = state.Block
    let mutable word = state.Word
    let mutable r0 = 0u
    let mutable r1 = 0u
    let mutable r2 = 0u
    let mutable r3 = 0u
    // The block that r0..r3 hold; none yet.
    let mutable held = UInt64.MaxValue

    let generate (counter: uint64) =
        let mutable k0 = uint32 key
        let mutable k1 = uint32 (key >>> 32)
        let mutable c0 = uint32 counter
        let mutable c1 = uint32 (counter >>> 32)
        let mutable c2 = uint32 place
        let mutable c3 = uint32 (place >>> 32)

        for _ in 1..10 do
            let p0 = uint64 Philox.M0 * uint64 c0
            let p1 = uint64 Philox.M1 * uint64 c2
            let n0 = uint32 (p1 >>> 32) ^^^ c1 ^^^ k0
            let n2 = uint32 (p0 >>> 32) ^^^ c3 ^^^ k1
            c1 <- uint32 p1
            c3 <- uint32 p0
            c0 <- n0
            c2 <- n2
            k0 <- k0 + Philox.W0
            k1 <- k1 + Philox.W1

        r0 <- c0
        r1 <- c1
        r2 <- c2
        r3 <- c3
        held <- counter

    member _.State = {
        Key = key
        Place = place
        Block = block
        Word = word
    }

    member _.NextUInt32() : uint32 =
        if held <> block then
            generate block

        let value =
            match word with
            | 0 -> r0
            | 1 -> r1
            | 2 -> r2
            | _ -> r3

        if word = 3 then
            word <- 0
            block <- block + 1UL
        else
            word <- word + 1

        value

    member this.NextUInt64() : uint64 =
        let high = uint64 (this.NextUInt32())
        (high <<< 32) ||| uint64 (this.NextUInt32())

    member this.NextDouble() : float =
        float (this.NextUInt64() >>> 11) * (1.0 / 9007199254740992.0)

    member this.NextSingle() : float32 =
        float32 (this.NextUInt32() >>> 8) * (1.0f / 16777216.0f)

    member this.Uniform(low: float, high: float) : float = low + (high - low) * this.NextDouble()

    // Lemire's method, with rejection.
    member this.NextInt(bound: int64) : int64 =
        if bound <= 0L then
            invalidArg (nameof bound) "the bound must be positive"

        let range = uint64 bound
        let mutable low = 0UL
        let mutable high = Math.BigMul(this.NextUInt64(), range, &low)

        if low < range then
            let threshold = (0UL - range) % range

            while low < threshold do
                high <- Math.BigMul(this.NextUInt64(), range, &low)

        int64 high

    // Box and Muller 1958.
    member this.NextNormalPair() : struct (float * float) =
        let radius = Math.Sqrt(-2.0 * Math.Log(1.0 - this.NextDouble()))
        let struct (sine, cosine) = Math.SinCos(2.0 * Math.PI * this.NextDouble())
        struct (radius * cosine, radius * sine)

    member this.NextNormal() : float =
        let struct (value, _) = this.NextNormalPair()
        value

    member this.FillNormal(destination: Span<float32>, deviation: float32) =
        let mutable i = 0

        while i < destination.Length do
            let u = 1.0f - this.NextSingle()
            let struct (sine, cosine) = MathF.SinCos(2.0f * MathF.PI * this.NextSingle())
            let radius = deviation * MathF.Sqrt(-2.0f * MathF.Log u)
            destination[i] <- radius * cosine

            if i + 1 < destination.Length then
                destination[i + 1] <- radius * sine

            i <- i + 2

    member this.FillUniform(destination: Span<float32>, bound: float32) =
        for i in 0 .. destination.Length - 1 do
            destination[i] <- bound * (2.0f * this.NextSingle() - 1.0f)

    // Fisher and Yates.
    member this.ShufflePrefix(items: 'T[], count: int) =
        for i in 0 .. min count (items.Length - 1) - 1 do
            let j = i + int (this.NextInt(int64 (items.Length - i)))
            let held = items[i]
            items[i] <- items[j]
            items[j] <- held

    static member Of(seed: int64, purpose: Purpose) : Draws = Draws(Identity.state seed purpose 0UL)

    static member At(seed: int64, purpose: Purpose, environment: int64, episode: int64, step: int64) : Draws =
        let combine = Identity.combine
        Draws(Identity.state seed purpose (combine (combine (combine 1UL environment) episode) step))
