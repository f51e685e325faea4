namespace NE.Actors.Environments;

/// <summary>An environment that can be looked at. Used on the environment's own thread, like everything of it.</summary>
public interface IRenderable
{
    /// <summary>Seconds of simulated time between two steps, for playback in real time.</summary>
    double SecondsPerStep { get; }

    /// <summary>Draws the current state, after a reset or a step.</summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="rgb">Gets the picture [height x width x 3], top row first.</param>
    /// <exception cref="Rendering.RendererUnavailableException">This machine cannot draw; the message says what to install.</exception>
    void Render(int width, int height, Span<byte> rgb);
}
