namespace NE.Actors.MuJoCo;

/// <summary>No usable libmujoco: not found, of another version, or not behaving as its version must.</summary>
public sealed class MuJoCoUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>MuJoCo called its fatal error handler. The thread on which that happened is parked for ever and its simulator is lost.</summary>
public sealed class MuJoCoErrorException(string message) : Exception(message);

/// <summary>MuJoCo refused to compile a model.</summary>
public sealed class ModelCompileException(string message) : Exception(message);

/// <summary>The simulated state left the numbers (NaN, infinite or above 1e10), or a contact was left out. The episode cannot go on; reset the environment.</summary>
public sealed class PhysicsDivergedException(string message) : Exception(message);

/// <summary>A stored state is of another version of MuJoCo.</summary>
public sealed class OtherMuJoCoException(string message) : Exception(message);
