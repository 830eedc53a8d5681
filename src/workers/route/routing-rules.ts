/** The lists of the settings that say where statements and sessions go, compiled once for all sessions of a worker. */
import { parseObjectRelationships, type ObjectRelationships } from '../../shared/routing/object-relationships.js';
import { findRedirect, parseRedirectList, type Redirect } from '../../shared/routing/redirect-list.js';
import type { Settings } from '../../shared/settings.js';
import { PatternList } from '../sql/pattern-list.js';

export class RoutingRules {
  /** primary_routing_query_pattern_list, null when it is empty. */
  readonly primaryPatterns: PatternList | null;
  readonly relationships: ObjectRelationships;
  private readonly users: readonly Redirect[];
  private readonly databases: readonly Redirect[];
  private readonly applications: readonly Redirect[];

  /** @param settings checked when the file was read */
  constructor(settings: Settings) {
    const patterns = new PatternList(settings.primary_routing_query_pattern_list);
    this.primaryPatterns = patterns.isEmpty ? null : patterns;
    this.relationships = parseObjectRelationships(settings.dml_adaptive_object_relationship_list);
    this.users = parseRedirectList(settings.user_redirect_preference_list);
    this.databases = parseRedirectList(settings.database_redirect_preference_list);
    this.applications = parseRedirectList(settings.app_name_redirect_preference_list);
  }

  /** The application overrides the database, and the database the user. @param application of the startup packet */
  redirectFor(user: string, database: string, application: string): Redirect | null {
    return findRedirect(this.applications, application) ?? findRedirect(this.databases, database) ?? findRedirect(this.users, user);
  }
}
