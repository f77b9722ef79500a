// A test of a SCEP client: a site of its own, a request, the journal.
// Usage: java Client.java [CONTROL-URL], which is `control` of the READY line.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Pattern;

public class Client {
	static final HttpClient http = HttpClient.newHttpClient();
	static String control;

	static String send(HttpRequest request) throws Exception {
		var reply = http.send(request, BodyHandlers.ofString());
		check(reply.statusCode() < 300, request + ": " + reply.statusCode()
		    + " " + reply.body());
		return reply.body();
	}

	static String api(String method, String path, String json) throws Exception {
		var request = HttpRequest.newBuilder(URI.create(control + path));
		if (json != null)
			request.header("Content-Type", "application/json");
		return send(request.method(method, json == null ?
		    BodyPublishers.noBody() : BodyPublishers.ofString(json)).build());
	}

	// The JDK has no JSON of its own; in your project, take what it uses.
	static String member(String json, String name) {
		var matcher = Pattern.compile("\"" + name + "\":\"?([^\",}]*)")
		    .matcher(json);
		check(matcher.find(), "no " + name + ": " + json);
		return matcher.group(1);
	}

	static void check(boolean good, String what) {
		if (!good)
			throw new AssertionError(what);
	}

	public static void main(String[] args) throws Exception {
		control = args.length > 0 ? args[0] : System.getenv()
		    .getOrDefault("MOCKNDES_CONTROL", "http://127.0.0.1:8081");
		String site = api("POST", "/v1/sites",
		    "{\"scenario\":\"caps-without-post\"}");
		String here = "/v1/sites/" + member(site, "id");
		try {
			// The client under test goes here; this one asks what the
			// server can.
			String caps = send(HttpRequest.newBuilder(URI.create(
			    member(site, "url") + "?operation=GetCACaps")).build());

			// The entry is written when the answer is out: wait for it.
			String found = api("GET", here
			    + "/requests?operation=GetCACaps&wait=5", null);

			check(caps.contains("SHA-256"), caps);
			check(!caps.contains("POSTPKIOperation"), caps);
			String status = member(found.substring(
			    found.indexOf("\"reply\":")), "status");
			check(status.equals("200"), found);
			System.out.println("GetCACaps: " + status
			    + ", without POSTPKIOperation");
		} finally {
			api("DELETE", here, null);
		}
	}
}
