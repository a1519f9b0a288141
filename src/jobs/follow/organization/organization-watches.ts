import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Periodic } from '../../../platform/periodic.js';
import type { Place } from '../../feed/change-hint.js';
import { FollowedOrganizations } from '../../feed/followed-organizations.js';
import { HeardChanges } from '../../feed/heard-changes.js';
import { JobSnapshotStore } from '../../read/watch/job-snapshot.store.js';
import { type OrganizationFollower, OrganizationWatch } from './organization-watch.js';

const LOOK_AGAIN_MS = 2_000;
/** So long after they were told of it, all processes know that the organization is followed. */
const KNOWN_AFTER_MS = 100;
/** Jobs that are looked at each time, of all organizations together, but for one of each at least. */
const LOOKED_AT = 1_000;

/** The organizations that somebody in this process follows. */
@Injectable()
export class OrganizationWatches implements BeforeApplicationShutdown {
  private readonly watches = new Map<string, OrganizationWatch>();
  private readonly loop = new Periodic(
    { name: 'OrganizationWatches', everyMs: LOOK_AGAIN_MS },
    () => this.lookAgain(),
  );

  constructor(
    private readonly jobs: JobSnapshotStore,
    private readonly followed: FollowedOrganizations,
    private readonly heard: HeardChanges,
  ) {
    heard.on('change', (change) => this.watches.get(change.orgId)?.hear(change));
    heard.on('gap', () => this.watches.forEach((watch) => watch.miss()));
  }

  /**
   * Tells a follower of the organization's changes from now on, or from a place on.
   * @returns ends it
   * @throws whatever the database fails with
   */
  async follow(
    orgId: string,
    follower: OrganizationFollower,
    from: Place | null,
  ): Promise<() => void> {
    const toldFor = this.followed.follow(orgId);
    if (toldFor < KNOWN_AFTER_MS) {
      await sleep(KNOWN_AFTER_MS - toldFor);
    }
    const watch = this.watches.get(orgId) ?? new OrganizationWatch(orgId, this.jobs, this.heard);
    this.watches.set(orgId, watch);
    let left = false;
    const leave = (): void => {
      if (!left) {
        left = true;
        watch.leave(follower);
        this.followed.release(orgId);
        if (!watch.isFollowed) {
          this.watches.delete(orgId);
        }
      }
    };
    try {
      await watch.join(follower, from);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  @Interval('watched organizations', LOOK_AGAIN_MS)
  tick(): Promise<void> {
    return this.loop.tick();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** What nobody told of is found by this, in some statements for all. */
  private async lookAgain(): Promise<void> {
    const watches = [...this.watches];
    const each = Math.max(1, Math.floor(LOOKED_AT / watches.length));
    const changed = await this.jobs.changed(
      watches.flatMap(([, watch]) => watch.nextToLookAt(each)),
    );
    changed.forEach(({ orgId, jobId }) => this.watches.get(orgId)?.lookAt(jobId));
    this.watches.forEach((watch) => watch.run());
  }
}
