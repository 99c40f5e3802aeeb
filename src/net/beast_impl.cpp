// Beast is compiled in http/, which stands above: this program needs a copy of its own.
#include <boost/beast/src.hpp>
