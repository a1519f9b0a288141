import { Component, type ReactNode } from 'react';

/** Keeps a picture that cannot be drawn from taking the page with it. */
export class ViewBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? (
      <p className="callout warn" role="alert">
        This picture could not be drawn. The results below are complete.
      </p>
    ) : (
      this.props.children
    );
  }
}
