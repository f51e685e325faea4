using NE.Model.Networks;

namespace NE.Actors.Environments;

/// <summary>To an environment: take these steps with this policy and put the transitions into the block.</summary>
/// <param name="Step">Environment steps of the whole run before the environment's first step of this round.</param>
/// <param name="Stride">Steps of the whole run between two steps of this environment.</param>
/// <param name="Steps">Steps to take.</param>
public sealed record StepRound(long Step, int Stride, int Steps, Policy Policy, TransitionBlock Block);

/// <summary>The round is done; the block goes back with it.</summary>
public sealed record RoundStepped(TransitionBlock Block);

/// <summary>To an environment, between rounds: hand out everything that a resume restores.</summary>
public sealed record CaptureEnvironment;

public sealed record EnvironmentCaptured(int Environment, byte[] State);

/// <summary>The simulator is up and in this episode.</summary>
public sealed record EnvironmentReady(int Environment, long Episode);

/// <summary>The simulator failed. Whatever it was doing is lost, and its actor ends.</summary>
public sealed record EnvironmentFailed(int Environment, Exception Error);
